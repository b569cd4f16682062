"""What is measured: the networks, their structure, weights, sizes and published numbers."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.model import Model
    from models.published import Published
    from models.zoo import find
    from system.errors import UserError

__all__ = ["Model", "Published", "UserError", "find"]

_HOMES = {
    "Model": "models.model",
    "Published": "models.published",
    "UserError": "system.errors",
    "find": "models.zoo",
}


def __getattr__(name: str) -> object:
    # Imported when asked for: a command's --help needs none of them.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
