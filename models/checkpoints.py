"""Which checkpoint a network gets: `--weights` gives a file, a folder of files, or `official`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from system.errors import UserError
from system.names import file_name, split_at

if TYPE_CHECKING:
    import argparse

    from models.model import Model

OFFICIAL = "official"


def add_weights_option(parser: "argparse.ArgumentParser") -> None:
    """The argument whose value `checkpoints_for` and `checkpoint_for` take."""
    what = f"a checkpoint, a folder of NAME.pth files, or {OFFICIAL}: the published ones; seeded weights unless given"
    parser.add_argument("--weights", metavar="WHAT", help=what)


def checkpoints_for(given: str | None, models: "Sequence[Model]", option: str = "--weights") -> "dict[Model, Path]":
    """The checkpoint of each network, as `checkpoint_for` finds it; none of any where nothing is given.

    Raises UserError, which names the `option`, where one file is given for several networks, and as `checkpoint_for`.
    """
    if given is None:
        return {}
    networks = {model.source for model in models}  # each at as many resolutions as there are
    if len(networks) > 1 and given != OFFICIAL and not Path(given).is_dir():
        fix = f"name one, or give a folder or {OFFICIAL}"
        raise UserError(f"{option} fits one network", found=f"{len(networks)} networks and one file", fix=fix)
    return {model: path for model in models if (path := checkpoint_for(given, model)) is not None}


def checkpoint_for(given: str | None, model: "Model") -> Path | None:
    """The checkpoint of a network: the file `given`, the one of its name in the folder `given`, or the published one.

    None, for seeded weights, where nothing is given. The published one is fetched where the cache lacks it.
    Raises UserError where there is none.
    """
    if given is None:
        return None
    if given == OFFICIAL:
        from models.checkpoint_cache import official_checkpoint

        return official_checkpoint(model)
    path = Path(given)
    try:
        path.stat()
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        fix = f"give an existing file or folder, or {OFFICIAL}"
        raise UserError(f"can't read checkpoint {path}", found=found, fix=fix) from error
    return _of_folder(path, model) if path.is_dir() else path


def _of_folder(folder: Path, model: "Model") -> Path:
    """The file in `folder` of the network's name, else the published one under the name that it has elsewhere.

    A network at another resolution than its own may have a file of that, and has the network's otherwise.
    """
    from models.official import SUFFIXES, official_of

    stem = file_name(model.name)
    found = _files(folder, stem) or _files(folder, file_name(split_at(model.name)[0]))
    if not found:
        official = official_of(model)  # later than the names above: it imports timm, which takes a second
        names = (official.file, official.also) if official else ()
        found = [path for name in dict.fromkeys(names) if (path := folder / name).is_file()]
    if not found:
        what, fix = f"no checkpoint of {model.name} in {folder}", f"name it {stem}.pth"
        raise UserError(what, found=f"no {stem} with {', '.join(SUFFIXES)}", fix=fix)
    if len(found) > 1:
        what = f"several checkpoints of {model.name} in {folder}"
        raise UserError(what, found=", ".join(path.name for path in found), fix="leave one of them")
    return found[0]


def _files(folder: Path, stem: str) -> list[Path]:
    from models.official import SUFFIXES

    return [path for suffix in SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]
