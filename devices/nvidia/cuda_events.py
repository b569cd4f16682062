"""The one stopwatch for everything that runs on an NVIDIA GPU: CUDA events around each batch, one wait for all."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from devices.nvidia.nvml import merged
from devices.nvidia.sampler import sampling
from devices.samples import DeviceReadings, Samples
from devices.session import DeviceFull
from system.errors import UserError, one_line

# Records keep it, with the word that a visit had first.
NAME = "GPU: CUDA events around each batch, one synchronisation a round"

# Of a full memory: torch's words, ONNX Runtime's, and those of exporters/tensorrt_engine.py.
_FULL = ("out of memory", "failed to allocate", "memory is full")


def time_each(
    queue: Callable[[], object], count: int, *, cuda: Any, stream: Any, read: Callable[[], DeviceReadings]
) -> Samples:
    """Queue `count` batches on `stream` and wait once; `cuda` is torch.cuda, or a test's probe in its place.

    `enqueue_s` is the host time to queue each. The launch queue holds about a thousand kernels and then makes the
    host wait, so the smallest ones of a call, not the typical ones, tell how long queueing takes. `read` is called
    every 50 ms by a thread beside this one, and here once all is queued; the readings become one table.
    """
    starts, ends = ([cuda.Event(enable_timing=True) for _ in range(count)] for _ in range(2))
    enqueue_s: list[float] = []
    with sampling(read) as readings:
        for start, end in zip(starts, ends, strict=True):
            start.record(stream)
            before_ns = time.perf_counter_ns()
            queue()
            enqueue_s.append((time.perf_counter_ns() - before_ns) * 1e-9)
            end.record(stream)
        readings.append(read())
        cuda.synchronize()
    seconds = [start.elapsed_time(end) * 1e-3 for start, end in zip(starts, ends, strict=True)]
    return Samples(seconds=seconds, evidence={"enqueue_s": enqueue_s}, conditions=[merged(readings)])


def refuse_not_finite(logits: Any) -> None:
    """Raise UserError where a logit (a tensor) is NaN or infinite: such a network is not timed."""
    import torch

    if not bool(torch.isfinite(logits).all()):
        raise UserError("wrong outputs", found=f"NaN or infinity in {logits.dtype}", fix="not timed")


@contextmanager
def naming_full_memory(batch: int) -> Iterator[None]:
    """Turn a full GPU memory into DeviceFull: the network has no number at this batch, which is never made smaller."""
    try:
        yield
    except Exception as error:  # each library has its own
        if not any(words in str(error).lower() for words in _FULL):
            raise
        raise DeviceFull(
            f"out of GPU memory at batch {batch}", found=one_line(error, 160), fix="the batch stays as it is"
        ) from error
