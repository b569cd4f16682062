"""A network asked what is on photographs: the likeliest classes with ImageNet's names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models.model import Model
from models.photographs.classes import CLASSES, class_name, synset_of
from models.photographs.decode import UnreadableImage, decode
from models.photographs.folder import Photograph
from models.photographs.preprocessing import Preprocessing, preprocess
from models.weights import SEEDED
from system.errors import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Classifier(Protocol):
    """A network that is loaded to be asked; `weights` names its weights, `runs_on` says where it runs."""

    weights: str
    runs_on: str

    def logits(self, image: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (classes,) of one normalised image (3, H, W). Raises UserError where the device fails."""

    def close(self) -> None:
        """Free what it holds."""


@dataclass(frozen=True, kw_only=True)
class Likely:
    """One class of an answer: `synset` is "" where the network's classes aren't ImageNet's."""

    index: int
    synset: str
    name: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a network says of one image: its likeliest classes, or why there are none."""

    image: str
    remark: str = ""
    classes: tuple[Likely, ...] = ()
    error: str = ""


def answers_to(images: Iterable[Photograph], how: Preprocessing, classifier: Classifier, top: int) -> Iterator[Answer]:
    """The `top` likeliest classes of each image, which is turned upright as EXIF says, or why there are none."""
    for image in images:
        try:
            decoded, remark = decode(image.path, upright=True)
        except UnreadableImage as error:
            yield Answer(image=image.name, error=error.reason)
            continue
        classes = likeliest(classifier.logits(preprocess(decoded, how)), top)
        yield Answer(image=image.name, remark=remark, classes=classes, error="" if classes else "no finite logits")


def likeliest(logits: "NDArray[np.float32]", top: int) -> tuple[Likely, ...]:
    """The `top` classes of the highest logits (classes,), the highest first; none where one isn't finite."""
    import numpy as np

    if not np.isfinite(logits).all():
        return ()
    shares = np.exp(logits.astype(np.float64) - logits.max())
    shares /= shares.sum()
    order = np.argsort(-logits, kind="stable")[:top]
    named = len(logits) == CLASSES
    return tuple(
        Likely(
            index=index,
            synset=synset_of(index) if named else "",
            name=class_name(index) if named else f"class {index}",
            probability=float(shares[index]),
        )
        for index in map(int, order)
    )


class TorchClassifier:
    """A network of PyTorch, in FP32 on this processor."""

    runs_on = "torch FP32"

    def __init__(self, model: Model, checkpoint: Path | None) -> None:
        self.weights = SEEDED if checkpoint is None else printable(checkpoint.name)
        self._module = model.build(checkpoint)

    def logits(self, image: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (classes,) of one normalised image (3, H, W)."""
        import numpy as np
        import torch

        with torch.inference_mode():
            return np.asarray(self._module(torch.from_numpy(image)[None])[0].numpy(), dtype=np.float32)

    def close(self) -> None:
        """Nothing is held."""
