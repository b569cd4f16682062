"""EfficientNet-Lite0 with its ImageNet weights, and crops of photographs, made once for a whole test run."""

import random
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from exporters.artifact import Artifact, Job
from exporters.cache import Cache
from exporters.formats import find_format
from models.photographs.decode import decode
from models.photographs.preprocessing import preprocess, preprocessing_of
from studies import lite0

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIDE_PX = 256
_CALIBRATION, _SHOWN = 16, 16


@dataclass(frozen=True)
class Trained:
    """The network's checkpoint, a folder of crops to calibrate on, and another one of other crops to compare on."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        return self.folder / "lite0.pth"

    @property
    def calibration(self) -> Path:
        return self.folder / "calibration"

    def job(self, format_: str, precision: str, **changes: object) -> Job:
        """The file of the network in a format, with a batch of 1 where it has a fixed one."""
        wanted = {"model": lite0.model(), "format": format_, "precision": precision, "weights": self.checkpoint}
        wanted["batch"] = None if find_format(format_).dynamic_batch else 1
        wanted["calibration"] = self.calibration if precision.startswith("int") else None
        return Job(**wanted | changes)  # type: ignore[arg-type]

    def artifact(self, format_: str, precision: str, **changes: object) -> Artifact:
        """The same, exported where no test of this run has had it yet."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the converters' own
            return Cache(self.folder / "artifacts").obtain(self.job(format_, precision, **changes))

    def images(self) -> "NDArray[np.float32]":
        """The inputs (N, 3, 224, 224) of the crops to compare on."""
        import numpy as np

        how = preprocessing_of(lite0.model())
        return np.stack([preprocess(decode(path)[0], how) for path in sorted((self.folder / "shown").iterdir())])


def trained(tmp_path_factory) -> Trained:
    """All of it; workers of one run share it."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):  # one worker of several
        shared = shared.parent
    folder = shared / "trained"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            making = folder.with_suffix(".making")
            making.mkdir()
            _crops(making / "calibration", _CALIBRATION, seed=1)
            _crops(making / "shown", _SHOWN, seed=2)
            lite0.write_checkpoint(making / "lite0.pth")
            making.rename(folder)
    return Trained(folder)


def _crops(folder: Path, count: int, *, seed: int) -> None:
    """Square crops of the photographs in turns, each of half to all of the short side."""
    chance, files = random.Random(seed), lite0.photograph_files()
    folder.mkdir()
    for index in range(count):
        image, _ = decode(files[index % len(files)])
        side_px = round(min(image.size) * chance.uniform(1 / 2, 1))
        left_px, top_px = (chance.randint(0, whole_px - side_px) for whole_px in image.size)
        crop = image.crop((left_px, top_px, left_px + side_px, top_px + side_px)).resize((_SIDE_PX, _SIDE_PX))
        crop.save(folder / f"{index:02}.png")
