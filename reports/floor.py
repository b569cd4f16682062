"""How fast hardware could run a network at most, by the roofline of its peaks, and how far above that a number is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.records.record import Network
from devices.peaks import Peaks, known_peaks, machine_key, read_probed
from devices.targets import Target
from models.layers import Layer
from reports.cells import Column
from reports.network_layers import NetworkLayers

_BYTES = {"fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2, "int8": 1}


@dataclass(frozen=True)
class Floor:
    """Milliseconds of one image at the target's batch.

    `whole_ms`: all arithmetic at the peak rate, or weights, image and logits through memory once (less what the
    cache holds), whichever takes longer: nothing can be faster. `layers_ms`: the same layer by layer, every tensor
    through memory: what a runtime that fuses no two convolutions can reach.
    """

    peaks: Peaks
    arithmetic_ms: float
    memory_ms: float
    layers_ms: float

    @property
    def whole_ms(self) -> float:
        """The larger of arithmetic and memory."""
        return max(self.arithmetic_ms, self.memory_ms)

    def broken_by(self, ms: float) -> bool:
        """Whether a latency is below what the hardware can do; a probe's rate was reached, it is no limit."""
        return ms < self.whole_ms and not self.peaks.measured


@dataclass(frozen=True)
class Floors:
    """The floors of every column, from the peaks in devices/ and the probes kept with the results."""

    results: Path
    layers: NetworkLayers = field(default_factory=NetworkLayers)

    @cached_property
    def _probed(self) -> dict[str, Peaks]:
        return read_probed(self.results)

    def peaks(self, column: Column) -> Peaks | None:
        """The peaks of what a column runs on; None where nobody knows them."""
        if column.target.options.get("delegate") == "gpu":
            return None  # those of a phone are its CPU's
        known = known_peaks().get(column.target.device)
        if known is None and column.target.device == "CPU" and column.conditions is not None:
            known = self._probed.get(machine_key(column.conditions.machine))
        return known

    def floor(self, column: Column, network: Network, *, as_published: bool = False) -> Floor | None:
        """The floor of a network; None where `lack` or `lack_of` says why.

        A target that is told its threads has only their share of the cores; what published numbers used is not known.
        """
        peaks = self.peaks(column)
        if peaks is None or self.lack(column):
            return None
        layers = self.layers.of(network)
        if isinstance(layers, str):
            return None
        threads = column.target.options.get("threads")
        share = min(threads / peaks.cores, 1.0) if isinstance(threads, int) and not as_published else 1.0
        return roofline(layers, peaks, column.target, share)

    def lack(self, column: Column) -> str:
        """Why no network has a floor in a column; "" where it can have one."""
        target, peaks = column.target, self.peaks(column)
        if target.options.get("delegate") == "gpu":
            return f"No floor: no source gives the peaks of the GPU of {target.device}."
        if peaks is None and target.device == "CPU":
            return "No floor: no probe of this CPU lies with the results; `python -m devices.host.probe` makes one."
        if peaks is None:
            return f"No floor: no source gives the peaks of {target.device}."
        if target.precision not in peaks.ops or target.precision not in _BYTES:
            return f"No floor: no source gives a peak of {peaks.title} in {target.precision}."
        return ""

    def lack_of(self, column: Column, network: Network) -> str:
        """Why a network has no floor in a column that has floors; "" where it has one."""
        layers = self.layers.of(network) if not self.lack(column) else []
        return layers if isinstance(layers, str) else ""


def roofline(layers: Sequence[Layer], peaks: Peaks, target: Target, share: float = 1.0) -> Floor | None:
    """The floor of a list of layers on a share of the arithmetic; None where the precision has no known peak."""
    rate, width = peaks.ops.get(target.precision), _BYTES.get(target.precision)
    if rate is None or width is None:
        return None
    batch = target.batch
    arithmetic_s = [2 * layer.macs * batch / (rate * share) for layer in layers]
    moved = [width * (layer.weights + batch * (layer.inputs + layer.outputs)) for layer in layers]
    once = width * (sum(layer.weights for layer in layers) + batch * (layers[0].inputs + layers[-1].outputs))
    each_s = (max(work, size / peaks.memory) for work, size in zip(arithmetic_s, moved, strict=True))
    scale = 1e3 / batch
    return Floor(
        peaks=peaks,
        arithmetic_ms=sum(arithmetic_s) * scale,
        memory_ms=max(once - peaks.cache, 0) / peaks.memory * scale,
        layers_ms=sum(each_s) * scale,
    )
