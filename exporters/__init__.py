"""Networks as the files that runtimes load: one module a format, a cache, and the check of each file against torch."""
