"""The roofline floor: the least latency that a device's peak rates allow a network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.records.record import Network
from devices.peaks import Peaks, known_peaks, machine_key, read_probed
from devices.targets import Target
from models.layers import Layer
from reports.cells import Column
from reports.network_layers import NetworkLayers, Uncounted

_BYTES = {"fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2, "int8": 1}


@dataclass(frozen=True)
class Floor:
    """Milliseconds of one image at the target's batch.

    `compute_ms`: all multiply-accumulates at the peak rate. `memory_ms`: weights, image and logits through memory once,
    less what the last cache holds. `layers_ms`: the larger of both for each layer, every tensor through memory, summed
    over the layers; a runtime that keeps tensors in a cache can be faster than that.
    """

    peaks: Peaks
    compute_ms: float
    memory_ms: float
    layers_ms: float

    @property
    def whole_ms(self) -> float:
        """The larger of `compute_ms` and `memory_ms`: no run on this hardware can be faster."""
        return max(self.compute_ms, self.memory_ms)

    def broken_by(self, ms: float) -> bool:
        """Whether a latency is below the floor of printed peaks; rates that a probe reached are no limit."""
        return ms < self.whole_ms and not self.peaks.measured


@dataclass(frozen=True)
class Floors:
    """The floors of every column, from the peaks in devices/peaks.toml and from the probes in the results folder."""

    results: Path
    layers: NetworkLayers = field(default_factory=NetworkLayers)

    @cached_property
    def _probed(self) -> dict[str, Peaks]:
        return read_probed(self.results)

    def peaks(self, column: Column) -> Peaks | None:
        """The peaks of the hardware that a column ran on; None where no source gives them."""
        if column.target.options.get("delegate") == "gpu":
            return None  # peaks.toml has the phone's CPU only
        known = known_peaks().get(column.target.device)
        if known is None and column.target.device == "CPU" and column.newest is not None:
            return self._probed.get(machine_key(column.newest.conditions.machine))
        return known

    def floor(self, column: Column, network: Network, *, as_published: bool = False) -> Floor | None:
        """The floor of a network; None where `lack` or `lack_of` says why.

        Of a target with a fixed number of threads it is the floor of their share of the cores, except `as_published`:
        how many threads the published numbers used is not known.
        """
        peaks = self.peaks(column)
        if peaks is None or self.lack(column):
            return None
        layers = self.layers.of(network)
        if isinstance(layers, Uncounted):
            return None
        threads = column.target.options.get("threads")
        share = min(threads / peaks.cores, 1.0) if isinstance(threads, int) and not as_published else 1.0
        return roofline(layers, peaks, column.target, share)

    def lack(self, column: Column) -> str:
        """Why no network of a column has a floor; "" where they can have one."""
        target, peaks = column.target, self.peaks(column)
        if target.options.get("delegate") == "gpu":
            return f"No floor: no source gives the peaks of the GPU of {target.device}."
        if peaks is None and target.device == "CPU":
            return "No floor: the results have no probe of this CPU; `python -m devices.host.probe` makes one."
        if peaks is None:
            return f"No floor: no source gives the peaks of {target.device}."
        if target.precision not in peaks.ops or target.precision not in _BYTES:
            return f"No floor: no source gives a peak of {peaks.title} in {target.precision}."
        return ""

    def lack_of(self, column: Column, network: Network) -> str:
        """Why a network has no floor though its column's peaks are known; "" where it has one."""
        layers = self.layers.of(network) if not self.lack(column) else []
        return layers.reason if isinstance(layers, Uncounted) else ""


def roofline(layers: Sequence[Layer], peaks: Peaks, target: Target, share: float = 1.0) -> Floor | None:
    """The floor of a list of layers on a `share` (0 to 1) of the cores; None where the precision has no known peak."""
    rate, width = peaks.ops.get(target.precision), _BYTES.get(target.precision)
    if rate is None or width is None:
        return None
    batch = target.batch
    compute_s = [2 * layer.macs * batch / (rate * share) for layer in layers]
    moved_bytes = [width * (layer.weights + batch * (layer.inputs + layer.outputs)) for layer in layers]
    once_bytes = width * (sum(layer.weights for layer in layers) + batch * (layers[0].inputs + layers[-1].outputs))
    each_s = (max(compute, size / peaks.memory) for compute, size in zip(compute_s, moved_bytes, strict=True))
    scale = 1e3 / batch
    return Floor(
        peaks=peaks,
        compute_ms=sum(compute_s) * scale,
        memory_ms=max(once_bytes - peaks.cache, 0) / peaks.memory * scale,
        layers_ms=sum(each_s) * scale,
    )
