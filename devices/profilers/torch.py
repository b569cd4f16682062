"""Per-operator times by torch's own profiler, on the CPU or a GPU, each with the module of the network it ran in."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devices.host.clock import time_each
from devices.profilers.operators import Operator, mean_of_faster
from devices.samples import Samples

if TYPE_CHECKING:
    from torch import nn

_SCOPE = "module "
# The first inferences still allocate.
_UNCOUNTED = 3


class TorchProfiler:
    """Calls of a module, each under a profiler of its own.

    With `time_one`, a GPU's clock, the times are those of its kernels; else those of the operators on the CPU.
    """

    def __init__(
        self,
        module: "nn.Module",
        call: Callable[[], object],
        *,
        time_one: Callable[[Callable[[], object]], Samples] | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        # Its native part reports every start and stop on stderr, unless told before it first starts.
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")
        self._call, self._time_one, self.close = call, time_one, close
        self._runs: list[list[Operator]] = []
        for name, child in module.named_modules():
            # Two levels are what profiles are grouped by; marking every layer would cost more than small layers do.
            if name and (name.count(".") == 1 or (not list(child.children()) and "." not in name)):
                _mark(name, child)

    def run(self, count: int) -> Samples:
        """The seconds of `count` calls, the profiler's own time in them."""
        import torch

        activities = [torch.profiler.ProfilerActivity.CPU]
        activities += [torch.profiler.ProfilerActivity.CUDA] if self._time_one else []
        time_one = self._time_one or (lambda call: time_each(call, 1))
        seconds: list[float] = []
        for _ in range(count):
            # One cycle has nothing to accumulate; without it torch 2.11 warns that a cycle clears the events before it.
            with torch.profiler.profile(activities=activities, acc_events=True) as profiler:
                seconds += time_one(self._call).seconds
            self._runs.append(read_events(profiler.events(), of_kernels=self._time_one is not None))
        return Samples(seconds=seconds)

    def operators(self) -> list[Operator]:
        """What each operator took."""
        return mean_of_faster(self._runs[_UNCOUNTED:])


def _mark(name: str, module: "nn.Module") -> None:
    import torch

    open_marks: list[Any] = []

    def enter(*_: object) -> None:
        mark = torch.profiler.record_function(_SCOPE + name)
        mark.__enter__()  # type: ignore[no-untyped-call]
        open_marks.append(mark)

    def leave(*_: object) -> None:
        open_marks.pop().__exit__(None, None, None)

    module.register_forward_pre_hook(enter)
    module.register_forward_hook(leave)


def read_events(events: Any, *, of_kernels: bool) -> list[Operator]:
    """The operators of one call by their own time, without that of the operators that they call.

    On a GPU that is the time of the kernels that an operator started; one that started none is left out.
    """
    found = []
    for at, event in enumerate(event for event in events if event.name.startswith("aten::")):
        parent = event.cpu_parent
        while parent is not None and not parent.name.startswith(_SCOPE):
            parent = parent.cpu_parent
        scope = parent.name.removeprefix(_SCOPE) if parent is not None else ""
        seconds = (event.self_device_time_total if of_kernels else event.self_cpu_time_total) * 1e-6
        if of_kernels and not seconds:
            continue
        found.append(Operator(name=f"{at} {event.name}", kind=event.name, scope=scope, seconds=seconds))
    return found
