"""What the fields of an options struct say of themselves: default, help, and the values that they take."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect


class OptionHelp(msgspec.Struct, frozen=True, kw_only=True):
    """One option: `default` is None where it has none, `takes` describes its values."""

    name: str
    default: Any
    takes: str
    help: str


def described(kind: type[msgspec.Struct]) -> list[OptionHelp]:
    """Every option of a struct, in the order of its fields."""
    return [
        OptionHelp(
            name=field.name,
            default=_default(field),
            takes=_takes(field.type),
            help=str(_meta(field.type).get("description", "")),
        )
        for field in _fields(kind)
    ]


def wanted_by(kind: type[msgspec.Struct], name: str) -> str:
    """The values that an option takes, and what they mean."""
    return next(f"{option.takes} ({option.help})" for option in described(kind) if option.name == name)


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _default(field: inspect.Field) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _meta(kind: inspect.Type) -> dict[str, Any]:
    return (kind.extra_json_schema or {}) if isinstance(kind, inspect.Metadata) else {}


def _takes(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        examples = ", ".join(map(str, _meta(kind).get("examples", [])))
        return _takes(kind.type) + (f", such as {examples}" if examples else "")
    return " or ".join(dict.fromkeys(_words(kind))) or "a value"


def _words(kind: inspect.Type) -> Iterator[str]:
    """The values of a type, each alternative in words; None is no value that anybody gives."""
    match kind:
        case inspect.Metadata():
            yield from _words(kind.type)
        case inspect.UnionType():
            for alternative in kind.types:
                yield from _words(alternative)
        case inspect.LiteralType():
            yield from map(str, kind.values)
        case inspect.BoolType():
            yield from ("true", "false")
        case inspect.IntType():
            yield _number("a whole number", kind)
        case inspect.FloatType():
            yield _number("a number", kind)
        case inspect.StrType():
            yield "text"
        case inspect.DictType():
            yield "a table"
        case inspect.ListType():
            yield "a list"
        case _:
            return


def _number(what: str, kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.ge == kind.le:
        return f"{kind.ge:g} alone"
    if kind.ge is not None and kind.le is not None:
        return f"{what} from {kind.ge:g} to {kind.le:g}"
    if kind.ge is not None:
        return f"{what} from {kind.ge:g} on"
    return f"{what} above {kind.gt:g}" if kind.gt is not None else what
