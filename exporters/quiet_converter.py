"""litert-torch, imported without what it and its dependencies say of themselves; children fork from this import."""

from system.silence import silence

with silence():
    import litert_torch

__all__ = ["litert_torch"]
