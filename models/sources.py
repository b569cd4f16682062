"""Networks that are not of the zoo, by their source: `KIND:WHAT`."""

from models.model import Model
from models.structure import parse_structure

_DEFAULT_PX = 224


def read_source(text: str, resolution_px: int | None) -> Model | None:
    """The network that a source describes; None where `text` is no source. `resolution_px` None takes the network's.

    Raises UserError where the source can't be read.
    """
    kind, colon, spec = text.partition(":")
    if not colon or kind not in {"zennet", "zennet-se", "timm"}:
        return None
    if kind != "timm":
        parse_structure(spec)  # now, rather than in the middle of a sweep
    name = text if resolution_px is None else f"{text}@{resolution_px}"
    return Model(name, "custom", resolution_px or _DEFAULT_PX, text)
