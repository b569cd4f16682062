"""What a report shows of one measurement."""

from bench.records.record import Record
from bench.trust.basis import Basis
from bench.trust.measurement import Measurement
from bench.trust.statistics import Estimate
from bench.trust.visit import COMPUTE, CORE_TO_CORE
from devices.nvidia import cuda_events
from reports.cells import Latency, Measured
from reports.recorded import hardware_of


def measured_of(record: Record, measurement: Measurement) -> Measured:
    """The statistics of a record that has a measurement, in milliseconds of one image."""
    scale = 1e3 / record.target.batch
    estimate, verdict = measurement.estimate, record.verdict
    return Measured(
        latency=_latency(estimate, scale),
        batch=record.target.batch,
        raw_ms=measurement.raw_median_s * scale,
        undivided_ms=measurement.undivided.number_s * scale,
        corrected_by=measurement.corrected_by,
        refers_to=_refers_to(measurement.basis),
        state=_state(record, measurement),
        within_sweep=estimate.within_sweep,
        sweep=record.sweep,
        p5_ms=measurement.percentile(5) * scale,
        p95_ms=measurement.percentile(95) * scale,
        p99_ms=measurement.percentile(99) * scale,
        samples=len(measurement.seconds),
        visits=len(measurement.visits),
        clock=measurement.clock,
        ran_on=", ".join(f"{key} {value}" for key, value in measurement.ran_on.items()),
        hardware=hardware_of(record),
        verdict=verdict.word if verdict else "not judged",
        detail=verdict.detail if verdict else "",
        levels_ms={device: level_s * scale for device, level_s in measurement.levels_s.items()},
    )


def _state(record: Record, measurement: Measurement) -> str:
    """How warm the device was; empty where that is the host's processor, whose clocks the readings tell."""
    if record.protocol.sustained:
        return "heat-soaked: after a warm-up until the temperature was steady"
    if measurement.clock == cuda_events.NAME:
        return "warm, not heat-soaked: after a warm-up until times, clocks and power were steady"
    return ""


def _refers_to(basis: Basis | None) -> str:
    """The condition of the machine that numbers hold at, in words; empty where nothing was read."""
    if basis is None or not basis.reference_s:
        return ""
    names = {COMPUTE: "compute", CORE_TO_CORE: "core-to-core"}
    told = (f"{names.get(name, name)} {seconds * 1e3:.2f} ms" for name, seconds in basis.reference_s.items())
    return f"{', '.join(told)} (machine epoch {basis.epoch or 'unnamed'})"


def _latency(estimate: Estimate, scale: float) -> Latency:
    if estimate.low_s is None or estimate.high_s is None:
        return Latency.exactly(estimate.number_s * scale)
    return Latency(estimate.number_s * scale, estimate.low_s * scale, estimate.high_s * scale)
