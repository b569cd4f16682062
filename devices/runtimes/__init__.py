"""One module a runtime, found by its name."""
