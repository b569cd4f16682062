"""What users write: targets, structures, names of networks, axes, options, tables of accuracies, label files."""

from bench.axis import at_batches, at_resolutions, parse_axis
from bench.duet.against import parse_against
from bench.options import read_option
from bench.top1 import with_top1
from devices.environment import _tables
from devices.runtime import protocol_of, runtime_of
from devices.targets import BATCHES, find_targets, read_targets
from models import find
from models.model import RESOLUTIONS_PX
from models.photographs.classes import label_of, refuse_counting_from_one
from models.photographs.labels import read_label_file
from models.structure import parse_structure
from models.zennet import zennet
from system.cluster_head import _split
from system.cluster_options import read_runtime_env
from system.errors import printable
from system.names import file_name, select, split_at
from tests.fuzz.parser import a_file, refused, text_of

_MOST_LAYERS = 12  # of structures that are built; torch takes milliseconds a layer


def targets(content: bytes) -> None:
    """A file of `--targets`, and the options of each of its targets."""
    with a_file("more.toml", content) as path:
        tables = _tables.__wrapped__(path)
        for target in read_targets.__wrapped__(path).values():
            assert target.name in tables
            protocol_of(target)
            runtime_of(target).read_options(target)


def structures(content: bytes) -> None:
    """A structure, and the network of a small one, without weights."""
    import torch

    text = text_of(content)
    blocks = parse_structure(text)
    if sum(block.layers for block in blocks) <= _MOST_LAYERS:
        with torch.device("meta"):
            zennet(text, squeeze_excite=len(text) % 2 == 0)


def names(content: bytes) -> None:
    """MODEL, TARGET and what their names become."""
    text = text_of(content)
    name = file_name(text)
    assert "/" not in name and "." not in name and len(name) < 100
    assert printable(text).isprintable()
    split_at(text)
    for ask in (find, find_targets, lambda given: select(given, ["cpu", "CPU"], "thing")):
        refused(lambda ask=ask: ask(text))


def axes(content: bytes) -> None:
    """`--batch` and `--resolution`."""
    text = text_of(content)
    refused(lambda: at_batches(find_targets("fake"), parse_axis(text, flag="--batch", within=BATCHES)[:3]))
    at_resolutions(find("EfficientNet-B0"), parse_axis(text, flag="--resolution", within=RESOLUTIONS_PX)[:3])


def options(content: bytes) -> None:
    """`--option`, `--against` and Ray's addresses."""
    text = text_of(content)
    _split(text)
    for line in text.split("\n"):
        refused(lambda line=line: read_option(line))


def against(content: bytes) -> None:
    """`--against`, several at once."""
    parse_against(text_of(content).split("\n"))


def top1_tables(content: bytes) -> None:
    """A table of `--top1`."""
    with a_file("top1.csv", content) as path:
        with_top1(find("ResNet-*"), str(path))


def label_files(content: bytes) -> None:
    """A label file, and the images that ask it."""
    with a_file("labels.txt", content) as path:
        file = read_label_file(path.parent)
        assert file is not None
        for name in (*list(file.labels)[:20], "a/b.jpg", "\udcff.png"):
            label_of(file.label_of(name) or "")
        assert all(map(str.isprintable, file.without_image))
    refuse_counting_from_one(text_of(content).split("\n"), "folder")


def runtime_envs(content: bytes) -> None:
    """Ray's runtime_env."""
    with a_file("env.json", content) as path:
        assert isinstance(read_runtime_env(path), dict)
