import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.accuracy.record import Accuracy, Agreement
from bench.protocol import Protocol
from bench.records.record import Network, Record
from bench.records.store import append_line
from bench.sweep import SweepRequest, sweep
from bench.trust.verdict import Verdict
from devices.host.conditions import Moment
from devices.samples import Samples
from devices.targets import Target, find_targets
from models.zoo import zoo


@pytest.fixture(scope="session")
def network_of() -> Callable[..., Network]:
    """The zoo's network of a name, or one of its own."""
    from bench.records.network_run import network_of as of

    def make(name: str, top1_percent: float | None = 75.0, family: str = "custom") -> Network:
        if name in zoo():
            return of(zoo()[name])
        return Network(
            name=name,
            family=family,
            resolution_px=224,
            source=f"timm:{name}",
            params=None,
            macs=None,
            top1_percent=top1_percent,
        )

    return make


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Record:
    """A record as a sweep of the fake device writes it."""
    (fake,) = find_targets("fake")
    folder = tmp_path_factory.mktemp("template")
    order = SweepRequest(
        target=fake,
        models=[zoo()["EfficientNet-B3"]],
        protocol=Protocol(),
        results=folder / "results",
        artifacts=folder / "artifacts",
    )
    (record,) = sweep(order)
    return record


@pytest.fixture(scope="session")
def make_record(network_of, template) -> Callable[..., Record]:
    """A record whose visits take `seconds` each; `seconds` None is a cell without a number."""

    def make(
        model: str | Network = "EfficientNet-B3",
        target: str | Target = "cpu",
        seconds: Iterable[float] | None = (0.010, 0.011, 0.012, 0.013, 0.014, 0.015),
        *,
        time: str = "2026-11-24T08:00:00Z",
        **changes,
    ) -> Record:
        (target,) = [target] if isinstance(target, Target) else find_targets(target)
        measurement, visit_ = None, template.measurement.visits[0]
        if seconds is not None:
            visits = [
                replace(visit_, at_s=float(number), settle_s=[], samples=Samples(seconds=[second] * 3))
                for number, second in enumerate(seconds)
            ]
            measurement = replace(template.measurement, ran_on={"threads": 2}, warmup_s=[], visits=visits)
        return replace(
            template,
            model=model if isinstance(model, Network) else network_of(model),
            target=target,
            measurement=measurement,
            **{
                "conditions": replace(template.conditions, end=Moment(time=time)),
                "verdict": Verdict(word="stable") if measurement else None,
            }
            | changes,
        )

    return make


@pytest.fixture(scope="session")
def trained() -> Callable[[Record], Record]:
    """A record of a file of its own, one a network and format, with a checkpoint's weights."""

    def of(record: Record) -> Record:
        file = f"{record.model.name} {record.target.format} {record.target.precision}"
        digest = hashlib.sha256(file.encode()).hexdigest()
        return replace(record, artifact=replace(record.artifact, sha256=digest, weights="net.pth sha256:1234"))

    return of


@pytest.fixture(scope="session")
def make_accuracy() -> Callable[..., Accuracy]:
    """What the file of a record answered on made-up images.

    `top1` of `labelled` are right, and all of `images` as torch has them, but for the `lost` and `gained` ones.
    """

    def make(
        record: Record,
        top1: int = 71,
        labelled: int = 100,
        *,
        images: int | None = None,
        lost: int = 3,
        gained: int = 1,
        time: str = "2026-11-25T08:00:00Z",
        **changes,
    ) -> Accuracy:
        images = labelled if images is None else images
        agreement = Agreement(
            same_top1=images - lost - gained,
            both_right=max(top1 - gained, 0),
            only_torch_right=lost if labelled else 0,
            only_artifact_right=gained if labelled else 0,
        )
        return Accuracy(
            **{
                "model": record.model,
                "target": record.target,
                "artifact": record.artifact,
                "ran_on": {"threads": 2},
                "folder": "photographs",
                "images_sha256": f"{images:064}",
                "images": images,
                "labelled": labelled,
                "top1": top1,
                "top5": labelled - (labelled - top1) // 3,
                "agreement": agreement,
                "machine": record.conditions.machine,
                "end": Moment(time=time),
                "inference_s": 1.0,
                "wall_s": 1.1,
            }
            | changes
        )

    return make


@pytest.fixture
def results(tmp_path) -> Callable[..., Path]:
    """A results folder with the given records, a file a target."""

    def write(*records: Record) -> Path:
        folder = tmp_path / "results"
        folder.mkdir(exist_ok=True)
        for record in records:
            append_line(folder / f"{record.target.name.replace('/', '_')}.jsonl", record)
        return folder

    return write
