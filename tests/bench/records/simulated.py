"""What a simulated machine measures: its networks, their files and those of its reference workloads."""

from devices.targets import find_targets
from exporters.artifact import Artifact

CPU = find_targets("cpu")[0]
# Seconds at the full clock, and the exponent by which each follows the compute workload.
NETWORKS = {"EfficientNet-B3": (0.05, 1.0), "EfficientNet-B5": (0.25, 0.8), "EfficientNet-B6": (0.4, 1.0)}
VISITS = 24


def an_artifact(name: str) -> Artifact:
    return Artifact(
        model=name,
        format="onnx",
        precision="fp32",
        batch=1,
        path=f"{name}.onnx",
        input_shape=(1, 3, 224, 224),
        sha256=f"{name:x<64}",
        size_bytes=1,
        weights="seeded",
        made_by={},
        fidelity=None,
    )


WORKLOADS = {name: an_artifact(name) for name in ("compute", "core_to_core")}
