"""litert-torch, imported with its messages and its dependencies' suppressed; child processes fork with it imported."""

from system.silence import silence

with silence():
    import litert_torch

__all__ = ["litert_torch"]
