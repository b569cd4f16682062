"""The tables, in every format."""
