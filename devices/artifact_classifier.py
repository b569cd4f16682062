"""An exported file opened to classify images: by the first target here whose runtime loads such files."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from devices.runtime import absence_of, runtime_of
from devices.targets import Target, find_targets
from exporters.artifact import Artifact
from exporters.artifact_files import read_artifact
from models.model import Model
from models.zoo import find
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ArtifactClassifier:
    """A file on its runtime; `runs_on` is the target's title."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        open_predictor = runtime_of(target).open_predictor
        assert open_predictor is not None
        self.weights, self.runs_on, self._batch = artifact.weights, target.title, target.batch
        self._predictor = open_predictor(artifact, target)

    def logits(self, image: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (classes,) of one normalised image (3, H, W). Raises UserError where the device fails."""
        import numpy as np

        logits = self._predictor.predict(np.repeat(image[None], self._batch, axis=0))
        return np.asarray(logits[0], dtype=np.float32)

    def close(self) -> None:
        """Free the device."""
        self._predictor.close()


def open_artifact(path: Path, model: Model) -> ArtifactClassifier:
    """The file at `path` of a cache, opened here, its batch filled up with copies of the image.

    Raises UserError where it is no such file, of another network, or nothing here can load it.
    """
    artifact = read_artifact(path)
    (of, *_) = find(artifact.model)
    if (of.source, of.resolution_px) != (model.source, model.resolution_px):
        raise UserError(f"{path} is of another network", found=artifact.model, fix="name that one as MODEL")
    return ArtifactClassifier(artifact, _target(artifact, path))


def _target(artifact: Artifact, path: Path) -> Target:
    """The first target that runs such files here, with the file's batch, one image where that is dynamic."""
    reasons = []
    for target in find_targets("*"):
        if (target.format, target.precision) != (artifact.format, artifact.precision):
            continue
        if reason := absence_of(target):
            reasons.append(f"{target.name}: {reason}")
        elif runtime_of(target).open_predictor is not None:
            return msgspec.structs.replace(target, batch=artifact.batch or 1)
    kind = f"{artifact.format} in {artifact.precision}"
    raise UserError(
        f"nothing here loads {path}", found="; ".join(reasons) or f"no target of {kind}", fix="see python -m devices"
    )
