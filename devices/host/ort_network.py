"""ONNX Runtime by a provider that is timed by the host's clock; a node that is left to another one is an error."""

import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devices.host.ort_options import CPU, AcceleratorOptions, OrtOptions, host_options
from devices.host.ort_providers import add_provider
from devices.targets import Target
from exporters.artifact import Artifact
from exporters.onnx_run import BATCH, DTYPES, INPUT, OUTPUT
from system.errors import UserError, one_line

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray


class OrtNetwork:
    """One ONNX Runtime session, its output bound to memory that is allocated once; `infer` runs a batch."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        options = host_options(target)
        session, self.ran_on = _load(artifact, target, options)
        self._dtype = DTYPES[session.get_inputs()[0].type]
        self._binding: onnxruntime.IOBinding = session.io_binding()
        self._binding.bind_output(OUTPUT, "cpu")
        self.infer: Callable[[], object] = functools.partial(session.run_with_iobinding, self._binding)

    def show(self, images: "NDArray[np.float32]") -> None:
        """Bind images (N, 3, H, W), N being the target's batch, in the type that the file takes."""
        self._binding.bind_cpu_input(INPUT, images.astype(self._dtype, copy=False))

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits (N, classes) of these images, float32."""
        import numpy as np

        self.show(images)
        self.infer()
        (values,) = self._binding.copy_outputs_to_cpu()
        self._binding.clear_binding_inputs()  # it would keep the images until the next ones
        return np.array(values, dtype=np.float32)

    def close(self) -> None:
        """Free the session's memory."""
        del self.infer, self._binding


def session_options(target: Target) -> "onnxruntime.SessionOptions":
    """The batch fixed, the threads those of the target, and nothing that runs on between two inferences."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.add_free_dimension_override_by_name(BATCH, target.batch)
    settings.intra_op_num_threads = host_options(target).thread_count
    settings.inter_op_num_threads = 1
    # Threads spin while an inference runs and stop with it; spinning on, they would slow the next session.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    return settings


def _load(artifact: Artifact, target: Target, options: OrtOptions) -> tuple[Any, dict[str, str | int]]:
    """The session, and where it runs. Raises UserError where another provider would run the network, even in part."""
    import onnxruntime

    settings, threads = session_options(target), {"threads": options.thread_count}
    if not isinstance(options, AcceleratorOptions):
        session = onnxruntime.InferenceSession(artifact.path, settings, providers=[CPU])
        return session, {"provider": CPU, **threads}
    settings.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    settings.add_session_config_entry("session.disable_cpu_ep_fallback", str(int(not options.cpu_nodes)))
    try:
        told = add_provider(settings, options)
        # Its own fallback would try the CPU next, and hide what was wrong.
        session = onnxruntime.InferenceSession(artifact.path, settings, enable_fallback=0)
    except UserError:
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common ancestor but this
        fix = "--option cpu_nodes=true times it with those" if "fallback" in str(error) else "see python -m devices"
        raise UserError(f"{target.name} must run on {options.provider}", found=one_line(error, 240), fix=fix) from error
    taken, left = _nodes(session, options.provider)
    if not taken:
        found, fix = f"it took none of {left} nodes", "see python -m devices"
        raise UserError(f"{target.name} must run on {options.provider}", found=found, fix=fix)
    return session, {
        "provider": options.provider,
        **told,
        "nodes": taken,
        "cpu_nodes": left,
        **(threads if left else {}),
    }


def _nodes(session: Any, provider: str) -> tuple[int, int]:
    """How many nodes of the network a provider took, and how many it left to others."""
    nodes: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        nodes[part.ep_name] += len(part.get_nodes())
    return nodes[provider], nodes.total() - nodes[provider]
