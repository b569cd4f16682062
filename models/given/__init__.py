"""Networks that a user brings: files in a format of their own, and code that makes a torch module."""
