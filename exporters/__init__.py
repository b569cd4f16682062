"""The file that a runtime loads: one module a format, a cache, and the check against the source."""
