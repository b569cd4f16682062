"""The networks of the suite by name, glob or group, and any other by its source."""

import functools
from collections.abc import Iterable

from models.baselines import baselines
from models.groups import find_group
from models.model import RESOLUTIONS_PX, Model
from models.sources import read_source
from system.errors import UserError
from system.names import select, split_at


def find(pattern: str) -> list[Model]:
    """The models that MODEL stands for: a name or glob of the zoo, a group such as `@published`, or a source such as
    `timm:resnet50`; a name, a glob and a source may be followed by a resolution, such as `EfficientNet-B3@224`.

    Raises UserError naming the nearest names, or what is wrong with the source.
    """
    if pattern.startswith("@"):
        return find_group(pattern, zoo())
    name, resolution_px = _split(pattern)
    if (custom := read_source(name, resolution_px)) is not None:
        return [custom]
    models = [zoo()[found] for found in select(name, zoo(), "model")]
    return models if resolution_px is None else [model.at_resolution(resolution_px) for model in models]


def find_one(name: str) -> Model:
    """The one model of a name or source. Raises UserError as `find` does, and where it stands for several."""
    models = find(name)
    if len(models) != 1:
        raise UserError("one model is wanted", found=f"{name}, which stands for {len(models)}", fix="name one of them")
    return models[0]


def find_all(patterns: Iterable[str]) -> list[Model]:
    """The models that several MODELs stand for, each once. Raises UserError as `find` does."""
    return list(dict.fromkeys(model for pattern in patterns for model in find(pattern)))


def _split(text: str) -> tuple[str, int | None]:
    """What stands before a resolution, and the resolution in pixels. Raises UserError where it is out of range."""
    name, resolution_px = split_at(text)
    if resolution_px is not None and resolution_px not in RESOLUTIONS_PX:
        fix = f"expected {RESOLUTIONS_PX[0]} to {RESOLUTIONS_PX[-1]} pixels"
        raise UserError("resolution out of range", found=f"@{resolution_px}", fix=fix)
    return name, resolution_px


@functools.cache
def zoo() -> dict[str, Model]:
    """Every network of the suite by name: the ZenNets in their published order, then the baselines."""
    return {model.name: model for model in (*map(_zennet_entry, _ZENNETS), *(each.model for each in baselines()))}


def refuse_others(models: Iterable[Model], option: str, what: str) -> None:
    """Raise UserError where one of these is no network of the suite: `option` keeps `what` of the suite's own alone."""
    if (other := next((model.name for model in models if model.name not in zoo()), None)) is not None:
        raise UserError(f"{option} keeps {what} of the suite's own networks", found=other, fix="leave it out")


def _zennet_entry(entry: tuple[str, bool, str]) -> Model:
    name, squeeze_excite, structure = entry
    return Model(
        name=f"zennet_imagenet1k_{name}_res224",
        family="ZenNet",
        resolution_px=224,
        source=f"{'zennet-se' if squeeze_excite else 'zennet'}:{structure}",
    )


# Name, squeeze-excite, structure: facts of the published networks (ZenNAS, ICCV 2021).
_ZENNETS = (
    (
        "flops400M_SE",
        True,
        "SuperConvK3BNRELU(3,16,2,1)SuperResIDWE1K7(16,40,2,40,1)SuperResIDWE1K7(40,64,2,64,1)"
        "SuperResIDWE4K7(64,96,2,96,5)SuperResIDWE2K7(96,224,2,224,5)SuperConvK1BNRELU(224,2048,1,1)",
    ),
    (
        "flops600M_SE",
        True,
        "SuperConvK3BNRELU(3,24,2,1)SuperResIDWE1K7(24,48,2,48,1)SuperResIDWE2K7(48,72,2,72,1)"
        "SuperResIDWE6K7(72,96,2,88,5)SuperResIDWE4K7(96,192,2,168,5)SuperConvK1BNRELU(192,2048,1,1)",
    ),
    (
        "flops900M_SE",
        True,
        "SuperConvK3BNRELU(3,16,2,1)SuperResIDWE1K7(16,48,2,72,1)SuperResIDWE2K7(48,72,2,64,3)"
        "SuperResIDWE2K7(72,152,2,144,3)SuperResIDWE2K7(152,360,2,352,4)SuperResIDWE4K7(360,288,1,264,3)"
        "SuperConvK1BNRELU(288,2048,1,1)",
    ),
    (
        "latency01ms",
        False,
        "SuperConvK3BNRELU(3,24,2,1)SuperResK3K3(24,32,2,64,1)SuperResK5K5(32,64,2,32,1)"
        "SuperResK5K5(64,168,2,96,1)SuperResK1K5K1(168,320,1,120,1)SuperResK1K5K1(320,640,2,304,3)"
        "SuperResK1K5K1(640,512,1,384,1)SuperConvK1BNRELU(512,2384,1,1)",
    ),
    (
        "latency02ms",
        False,
        "SuperConvK3BNRELU(3,24,2,1)SuperResK1K5K1(24,32,2,32,1)SuperResK1K7K1(32,104,2,64,1)"
        "SuperResK1K5K1(104,512,2,160,1)SuperResK1K5K1(512,344,1,192,1)SuperResK1K5K1(344,688,2,320,4)"
        "SuperResK1K5K1(688,680,1,304,3)SuperConvK1BNRELU(680,2552,1,1)",
    ),
    (
        "latency03ms",
        False,
        "SuperConvK3BNRELU(3,24,2,1)SuperResK1K5K1(24,64,2,32,1)SuperResK1K3K1(64,128,2,128,1)"
        "SuperResK1K7K1(128,432,2,128,1)SuperResK1K5K1(432,272,1,160,1)SuperResK1K5K1(272,848,2,384,4)"
        "SuperResK1K5K1(848,848,1,320,3)SuperResK1K5K1(848,456,1,320,3)SuperConvK1BNRELU(456,6704,1,1)",
    ),
    (
        "latency05ms",
        False,
        "SuperConvK3BNRELU(3,8,2,1)SuperResK1K7K1(8,64,2,32,1)SuperResK1K3K1(64,152,2,128,1)"
        "SuperResK1K5K1(152,640,2,192,4)SuperResK1K5K1(640,640,1,192,2)SuperResK1K5K1(640,1536,2,384,4)"
        "SuperResK1K5K1(1536,816,1,384,3)SuperResK1K5K1(816,816,1,384,3)SuperConvK1BNRELU(816,5304,1,1)",
    ),
    (
        "latency08ms",
        False,
        "SuperConvK3BNRELU(3,16,2,1)SuperResK1K5K1(16,64,2,64,1)SuperResK1K3K1(64,240,2,128,2)"
        "SuperResK1K7K1(240,640,2,160,3)SuperResK1K7K1(640,768,1,192,4)SuperResK1K5K1(768,1536,2,384,5)"
        "SuperResK1K5K1(1536,1536,1,384,3)SuperResK1K5K1(1536,2304,1,384,5)SuperConvK1BNRELU(2304,4912,1,1)",
    ),
    (
        "latency12ms",
        False,
        "SuperConvK3BNRELU(3,32,2,1)SuperResK1K5K1(32,80,2,32,1)SuperResK1K7K1(80,432,2,128,5)"
        "SuperResK1K7K1(432,640,2,192,3)SuperResK1K7K1(640,1008,1,160,5)SuperResK1K7K1(1008,976,1,160,4)"
        "SuperResK1K5K1(976,2304,2,384,5)SuperResK1K5K1(2304,2496,1,384,5)SuperConvK1BNRELU(2496,3072,1,1)",
    ),
)
