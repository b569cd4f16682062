from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.protocol import Protocol
from bench.records.record import Network, Record
from bench.records.store import append_line
from bench.sweep import SweepRequest, sweep
from bench.trust.verdict import Verdict
from devices.host.conditions import Moment
from devices.samples import Samples
from devices.targets import Target, find_targets
from models import zoo


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
