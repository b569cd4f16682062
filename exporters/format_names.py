"""The names of the export formats, found without importing one."""

import pkgutil

import exporters


def formats() -> list[str]:
    """The name of every format that a module of this package exports to."""
    names = (module.name for module in pkgutil.iter_modules(exporters.__path__))
    return [name.removeprefix("to_") for name in names if name.startswith("to_")]
