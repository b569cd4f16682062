"""`python -m devices.host.probe`: the rates that matrix products and memory copies reach here, kept with results."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from devices.host.conditions import Machine, cpu_model
from devices.peaks import PROBED, Peaks, machine_key, read_probed
from exporters.artifact import versions
from exporters.int8.kernels import integer_product
from system.command_line import run
from system.files import write_whole
from system.machine import usable_cores

_SIDE = 1024  # of the matrices: 4 MB each in FP32, 1 MB in INT8
_COPIED_BYTES = 1 << 28  # more than nearly every last cache holds
# Twenty calls of each kind and more on two cores of an AMD EPYC, of which the fastest counts.
_LASTING_S = 0.5


def main() -> int:
    """Measure and print the best rates so far."""
    parser = argparse.ArgumentParser(prog="python -m devices.host.probe", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    peaks = probe_again(parser.parse_args().results)
    rates = [f"{precision} {rate / 1e9:.0f} GOP/s" for precision, rate in peaks.ops.items()]
    print(f"{peaks.title}: {', '.join(rates)}, memory {peaks.memory / 1e9:.1f} GB/s")  # noqa: T201
    return 0


def probe_again(results: Path) -> Peaks:
    """The best rates that this machine ever reached: other guests of its host can only lower one.

    They are kept in `results/peaks.json`. Raises UserError where that is damaged or can't be written.
    """
    key, probed = machine_key(Machine(cpu=cpu_model(), usable_cores=usable_cores())), read_probed(results)
    probed[key] = _better(probe(), probed.get(key))
    content = msgspec.json.format(msgspec.json.encode(probed)) + b"\n"
    write_whole(results / PROBED, content, fix="give another --results")
    return probed[key]


def _better(new: Peaks, old: Peaks | None) -> Peaks:
    if old is None:
        return new
    ops = {precision: max(rate, old.ops.get(precision, 0.0)) for precision, rate in new.ops.items()}
    return msgspec.structs.replace(new, ops=ops, memory=max(new.memory, old.memory))


def probe() -> Peaks:
    """The best rates that matrix products and a copy through memory reach here, on the cores this process may use."""
    import torch

    threads = usable_cores()
    torch.set_num_threads(threads)
    return Peaks(
        title=f"{cpu_model()}, {threads} cores",
        ops={"fp32": _fp32_rate(), "int8": _int8_rate()},
        memory=_memory_rate(),
        cache=_last_cache_bytes(),
        source=[f"measured here by a probe, {time.strftime('%Y-%m-%d', time.gmtime())}: {_made_by()}"],
        measured=True,
    )


def _made_by() -> str:
    return ", ".join(f"{name} {version}" for name, version in versions(("torch", "onnxruntime")).items())


def _fp32_rate() -> float:
    """Operations a second of torch's matrix product, a multiply-accumulate being two."""
    import torch

    a, b = torch.rand(_SIDE, _SIDE), torch.rand(_SIDE, _SIDE)
    out = torch.empty(_SIDE, _SIDE)
    return 2 * _SIDE**3 / _best_s(lambda: torch.mm(a, b, out=out))


def _int8_rate() -> float:
    """Operations a second of ONNX Runtime's kernels: on an AMD EPYC without VNNI torch reached a hundredth of them."""
    import numpy as np

    random = np.random.default_rng(0)
    weights = random.integers(-64, 64, (_SIDE, _SIDE), dtype=np.int8)
    activations = random.integers(0, 255, (_SIDE, _SIDE), dtype=np.uint8)
    product = integer_product(weights, usable_cores())
    return 2 * _SIDE**3 / _best_s(lambda: product(activations))


def _memory_rate() -> float:
    """Bytes read and written a second by a copy through memory."""
    import torch

    source = torch.ones(_COPIED_BYTES // 4)
    target = torch.empty_like(source)
    return 2 * _COPIED_BYTES / _best_s(lambda: target.copy_(source))


def _best_s(call: Callable[[], object]) -> float:
    """The seconds of the fastest of many calls but the first, since other guests of the host slow most of them."""
    call()
    seconds: list[float] = []
    while sum(seconds) < _LASTING_S:
        start_s = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start_s)
    return min(seconds)


def _last_cache_bytes() -> int:
    """The size of the largest cache that Linux names; 0 where it names none."""
    sizes = [0]
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = path.read_text(encoding="utf-8").strip()
        sizes.append(int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20}.get(text[-1], 1))
    return max(sizes)


if __name__ == "__main__":
    run(main)
