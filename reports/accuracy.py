"""The accuracy of the file that was timed: a latency and an accuracy meet only where both are of one file."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.accuracy.intervals import points_lost, wilson
from bench.accuracy.record import Accuracy
from bench.records.record import Record
from devices.targets import Target
from models.weights import is_trained

# Options that don't change what a runtime computes: how fast it does, on which phone, and what is waited for there.
_NO_ARITHMETIC = frozenset(
    {
        *("threads", "affinity", "runs", "performance", "planted_slowdown"),
        *("serial", "adb_host", "adb_port", "airplane", "reconnect_s", "min_s", "max_s", "grace_s"),
        *("warmer_c", "max_temperature_c", "cool_down_max_s", "cool_down_poll_s"),
    }
)


@dataclass(frozen=True)
class Share:
    """A share of images, or a difference of two, in percent or points, with its 95 % interval."""

    percent: float
    low: float
    high: float

    @classmethod
    def of(cls, right: int, images: int) -> "Share":
        """`right` of `images` images, at least one, with Wilson's interval."""
        low, high = wilson(right, images)
        # Rounded, since the end that is 0 or 100 would else be off by the last bit.
        return cls(100 * right / images, round(100 * low, 6), round(100 * high, 6))


@dataclass(frozen=True)
class MeasuredAccuracy:
    """What one file answered on a folder's images.

    `top1`, `top5` and `lost` (points of top-1 that it has less than the torch network in FP32 with the same weights)
    are None where there is agreement with that network alone: images without labels, or weights without training.
    `images` have an answer, `labelled` of them a known class; `sample` is equal where two are of the same images.
    `evaluated_as` is the target that the file was evaluated as, "" where that is the one it was timed as.
    """

    top1: Share | None
    top5: Share | None
    lost: Share | None
    agreement: Share
    images: int
    labelled: int
    left_out: int
    folder: str
    sample: str
    weights: str
    evaluated_as: str = ""

    @property
    def trained(self) -> bool:
        """Whether the weights are from a checkpoint; seeded ones know no class."""
        return is_trained(self.weights)


class Accuracies:
    """The accuracies of a results folder, by file."""

    def __init__(self, accuracies: Iterable[Accuracy] = ()) -> None:
        self._by_file: dict[str, list[Accuracy]] = {}
        for accuracy in accuracies:
            if _usable(accuracy):
                self._by_file.setdefault(accuracy.artifact.sha256, []).append(accuracy)

    def of(self, record: Record) -> MeasuredAccuracy | None:
        """That of the file which a record timed, computed by the same runtime in the same way; None where none is.

        Of several, one of labelled images before one without, one of the record's own target before another's, and
        then the newest.
        """
        if record.artifact is None:
            return None
        target, found = record.target, self._by_file.get(record.artifact.sha256, [])
        fitting = [each for each in found if _computes_alike(each.target, target)]
        if not fitting:
            return None
        # Of two that ended in the same second, the later line is the newer.
        _, newest = max(enumerate(fitting), key=lambda pair: (*_preference(pair[1], target), pair[0]))
        return _measured(newest, target)

    def of_other_files(self, target: str, shown: Iterable[str]) -> list[str]:
        """The networks that were evaluated as `target` and have no accuracy there, by name; `shown` are those that do.

        Their number, where there is one, is of another file.
        """
        models = {each.model.name for found in self._by_file.values() for each in found if each.target.name == target}
        return sorted(models - set(shown))


def _usable(accuracy: Accuracy) -> bool:
    """Whether its counts can be of images: a share of none, or more right than there are, says nothing."""
    agreement = accuracy.agreement
    counts = (agreement.both_right, agreement.only_torch_right, agreement.only_artifact_right)
    return (
        0 <= agreement.same_top1 <= accuracy.images != 0
        and 0 <= accuracy.top1 <= accuracy.top5 <= accuracy.labelled <= accuracy.images
        and min(counts) >= 0
        and sum(counts) <= accuracy.labelled
    )


def _computes_alike(evaluated: Target, timed: Target) -> bool:
    """Whether two targets give the same answers by one file; a phone's GPU computes an FP32 file in FP16."""

    def what(target: Target) -> tuple[str, str, dict[str, object]]:
        options = {name: value for name, value in target.options.items() if name not in _NO_ARITHMETIC}
        return target.runtime, target.precision, options

    return what(evaluated) == what(timed)


def _preference(accuracy: Accuracy, target: Target) -> tuple[bool, bool, str]:
    return _has_top1(accuracy), accuracy.target.name == target.name, accuracy.end.time


def _has_top1(accuracy: Accuracy) -> bool:
    return accuracy.labelled > 0 and is_trained(accuracy.artifact.weights)


def _measured(accuracy: Accuracy, target: Target) -> MeasuredAccuracy:
    labelled, right = accuracy.labelled, _has_top1(accuracy)
    lost = points_lost(accuracy.agreement, labelled) if right else None
    return MeasuredAccuracy(
        top1=Share.of(accuracy.top1, labelled) if right else None,
        top5=Share.of(accuracy.top5, labelled) if right else None,
        lost=Share(*lost) if lost else None,
        agreement=Share.of(accuracy.agreement.same_top1, accuracy.images),
        images=accuracy.images,
        labelled=labelled,
        left_out=len(accuracy.left_out),
        folder=accuracy.folder,
        sample=accuracy.images_sha256,
        weights=accuracy.artifact.weights,
        evaluated_as="" if accuracy.target.name == target.name else accuracy.target.name,
    )
