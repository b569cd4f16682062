"""The offline interactive page."""
