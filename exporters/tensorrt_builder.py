"""What TensorRT and TensorRT for RTX build plans by alike: each message is kept, and each failure says its reason."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from exporters.artifact import Artifact, Fidelity, Job
from exporters.fidelity import FP16_LIMIT, check_fidelity, check_int8_fidelity, source_logits
from exporters.int8.calibration import calibration_images, is_calibrated
from exporters.int8.depthwise_silu import release_depthwise_silu
from exporters.int8.ranges import batches
from models.images import synthetic_images
from system.errors import UserError, one_line

if TYPE_CHECKING:
    import tensorrt as trt

    from exporters.tensorrt_engine import Engine

_LIMITS = {"fp16": FP16_LIMIT, "fp32": 1e-3}
_LACKING = "Could not find any implementation"

Built = TypeVar("Built")


class NoImplementationError(UserError):
    """A builder that has no kernel for some node; `found` is its message."""

    def __init__(self, wrong: str, *, found: str, fix: str) -> None:
        super().__init__(wrong, found=found, fix=fix)
        self.found = found


@dataclass(frozen=True)
class Messages:
    """What a builder said, in its order."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def logger_to(messages: Messages, base: "type[trt.ILogger]") -> "trt.ILogger":
    """A logger that appends to `messages`; `base` is the ILogger of the library that will call it."""

    class Logger(base):  # type: ignore # whose ILogger it is, is known when it runs
        def __init__(self) -> None:
            base.__init__(self)

        def log(self, severity: "trt.ILogger.Severity", msg: str) -> None:
            if severity in (base.Severity.ERROR, base.Severity.INTERNAL_ERROR):
                messages.errors.append(msg)
            elif severity == base.Severity.WARNING:
                messages.warnings.append(msg)

    return Logger()


def parse(parser: "trt.OnnxParser", content: bytes, onnx_file: Path, library: str) -> None:
    """Read the content of an ONNX file into the parser's network.

    Raises UserError where a node can't be read; stderr has each.
    """
    if parser.parse(content):
        return
    errors = [_describe(parser.get_error(index)) for index in range(parser.num_errors)]
    raise _failed(f"{library} can't read {onnx_file}", errors)


def serialize(
    builder: "trt.Builder",
    network: "trt.INetworkDefinition",
    config: "trt.IBuilderConfig",
    messages: Messages,
    wrong: str,
) -> "trt.IHostMemory":
    """The plan of a network. Raises UserError, which begins with `wrong`, where it can't be built."""
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise _failed(wrong, messages.errors)
    return plan


def build_or_release(build: Callable[[Path], Built], source: Path, path: Path) -> tuple[Built, str | None]:
    """What `build` makes of an ONNX file; where it lacks an implementation, of the file with less of it in INT8.

    That file is written beside `path`. Returns what was built, with a remark where it is of that one. Raises what
    `build` raises.
    """
    try:
        return build(source), None
    except NoImplementationError as error:
        released = path.with_suffix(".released.onnx")
        if not (count := release_depthwise_silu(source, released)):
            raise
        return build(released), f"{count} depthwise convolutions before SiLU are not INT8: {error.found}"


def remarks_of(source: Artifact, own: str | None) -> str | None:
    """What is to be said of a plan: the remark of the file that it is built from, and its own; None without either."""
    return "; ".join(filter(None, (source.remark, own))) or None


def check_plan(job: Job, engine: "Engine") -> Fidelity:
    """Compare an engine's logits for one batch of images with those of the torch network in FP32 on the CPU.

    Raises UserError where they are too far apart. Closes the engine.
    """
    import numpy as np

    assert job.batch is not None
    if is_calibrated(job):
        images = calibration_images(job, job.batch)
        images = np.resize(images, (job.batch, *images.shape[1:]))  # a folder of fewer repeats
    else:
        images = synthetic_images(job.batch, job.model.resolution_px, seed=1)
    logits = engine.logits(images)
    engine.close()
    reference = np.concatenate([source_logits(job, part) for part in batches(images)])
    if is_calibrated(job):
        return check_int8_fidelity(job, reference, logits)
    return check_fidelity(reference, logits, limit=_LIMITS[job.precision])


def _failed(wrong: str, messages: list[str]) -> UserError:
    """The error of what can't be made; its whole messages go to stderr."""
    print("\n".join(messages), file=sys.stderr)  # noqa: T201
    found = one_line(messages[0] if messages else "no reason given", 200)
    lacking = next((message for message in messages if _LACKING in message), None)
    if lacking is not None:
        return NoImplementationError(wrong, found=one_line(lacking, 200), fix="see its messages above")
    return UserError(wrong, found=found, fix="see its messages above")


def _describe(error: "trt.ParserError") -> str:
    """A parser's error with its node."""
    node = str(error.node())
    with suppress(AttributeError):  # 8.6 knows the node's index alone
        node = f"{node} {error.node_name()} {error.node_operator()}"
    return f"node {node}: {error.desc()} [{error.code()}, {error.file()}:{error.line()} {error.func()}]"
