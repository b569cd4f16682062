"""Options of ONNX Runtime's providers that are timed by the host's clock: the CPU's, Core ML's and QNN's."""

from typing import Annotated, Literal

from msgspec import Meta

from devices.options import ThreadOptions, read_options
from devices.targets import Target

CPU, CORE_ML, QNN = "CPUExecutionProvider", "CoreMLExecutionProvider", "QNNExecutionProvider"


class OrtOptions(ThreadOptions, frozen=True, kw_only=True):
    """How ONNX Runtime runs on this machine's processor."""

    provider: Annotated[str, Meta(description="the execution provider", examples=[CPU])]


class AcceleratorOptions(OrtOptions, frozen=True, kw_only=True):
    """Options of a provider that takes nodes off the processor."""

    cpu_nodes: Annotated[
        bool, Meta(description="whether the processor may run nodes that the provider can't; else such a network fails")
    ] = False

    @property
    def told(self) -> dict[str, str]:
        """What the provider is told, in its own words."""
        raise NotImplementedError


class CoreMlOptions(AcceleratorOptions, frozen=True, kw_only=True):
    """Core ML's options: names and values as ONNX Runtime's documentation of its provider has them."""

    compute_units: Annotated[
        Literal["ALL", "CPUAndNeuralEngine", "CPUAndGPU", "CPUOnly"],
        Meta(description="what Core ML may choose from, layer by layer"),
    ] = "ALL"
    model_format: Annotated[
        Literal["MLProgram", "NeuralNetwork"], Meta(description="what it is given; MLProgram is the newer one")
    ] = "MLProgram"

    @property
    def told(self) -> dict[str, str]:
        """Our shapes are static: the batch is fixed before the provider sees the network."""
        return {
            "MLComputeUnits": self.compute_units,
            "ModelFormat": self.model_format,
            "RequireStaticInputShapes": "1",
        }


class QnnOptions(AcceleratorOptions, frozen=True, kw_only=True):
    """Options of Qualcomm's QNN: names and values as the documentation of onnxruntime-qnn has them."""

    backend: Annotated[
        Literal["htp", "gpu"], Meta(description="htp is the Hexagon tensor processor; gpu the Adreno")
    ] = "htp"
    performance: Annotated[
        Literal["burst", "sustained_high_performance", "high_performance", "balanced", "default"],
        Meta(description="the tensor processor's clocks"),
    ] = "burst"

    @property
    def told(self) -> dict[str, str]:
        """Quantizing the images and dequantizing the logits is left to the provider, not to the processor."""
        clocks = {"htp_performance_mode": self.performance} if self.backend == "htp" else {}
        return {"backend_type": self.backend, "offload_graph_io_quantization": "0", **clocks}


_KINDS: dict[str, type[OrtOptions]] = {CPU: OrtOptions, CORE_ML: CoreMlOptions, QNN: QnnOptions}


def host_options_kind(target: Target) -> type[OrtOptions] | None:
    """The struct that reads a target's options; None where its provider is none of these."""
    return _KINDS.get(target.options.get("provider", CPU))


def host_options(target: Target) -> OrtOptions:
    """A target's options. Raises UserError where one isn't understood, or out of its range."""
    kind = host_options_kind(target)
    assert kind is not None, target.name
    return read_options(target, kind)
