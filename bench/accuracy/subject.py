"""`Subject`: a file on its target, to be asked which classes it puts images into."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from devices.host.conditions import cpu_model
from devices.targets import Target, find_targets
from exporters.artifact import Artifact, versions
from models.given.factory import NetworkError
from models.model import Model
from models.photographs.preprocessing import Preprocessing
from system.names import file_name

# Part of every key: raise it when what is made of an image or of its logits changes.
_RECIPE = 1
# Distributions between an image and its classes: all subjects', those of other runtimes than torch, and further ones
# of single runtimes, where they are installed.
_TORCH = ("numpy", "pillow", "timm", "torch")
_OTHERS = ("ai-edge-litert", "onnxruntime", "tensorrt-cu12", "tensorrt-cu13", "tensorrt-rtx-cu13-libs")
_BY_RUNTIME = {"executorch": ("executorch",), "openvino": ("openvino",), "ort": ("onnxruntime-qnn",)}


def reference_target(model: Model) -> Target:
    """What runs that with which artifacts of a network are compared, on this CPU: torch in FP32, or its own file.

    Raises NetworkError where nothing here runs that file.
    """
    if model.has_module:
        (target,) = find_targets("cpu-torch")
        return msgspec.structs.replace(target, batch=model.batch or target.batch)
    file = model.file
    assert file is not None
    for target in find_targets("cpu*"):
        if (target.format, target.precision) in {(file.format, precision) for precision in file.precisions}:
            return msgspec.structs.replace(target, batch=file.batch or target.batch)
    found = f"{file.format} in {file.precisions[0]}"
    raise NetworkError(f"nothing to compare files of {model.name} with", found=found, fix="give its FP32 file instead")


@dataclass(frozen=True)
class Subject:
    """An artifact as its target's runtime runs it; `how` is its network's official preprocessing.

    `held` is the target with the device that is held for it, where it has such; which one it is makes no other subject.
    """

    artifact: Artifact
    target: Target
    how: Preprocessing
    held: Target | None = None

    def facts(self) -> dict[str, object]:
        """What a prediction depends on beside the image: those of equal facts are of one kind."""
        target = self.target
        return {
            "recipe": _RECIPE,
            "model": self.artifact.model,
            "artifact": self.artifact.sha256,
            "runtime": target.runtime,
            "precision": target.precision,
            "batch": target.batch,
            "device": target.device,
            "options": target.options,
            "preprocessing": msgspec.to_builtins(self.how),
            "cpu": cpu_model(),
            "versions": _versions(target.runtime),
        }

    def predictions_file(self, results: Path) -> Path:
        """Where its predictions lie: one file for equal facts, whatever the images and the target's name."""
        key = hashlib.sha256(msgspec.json.encode(self.facts(), order="sorted")).hexdigest()[:16]
        name = f"{file_name(self.artifact.model)}-{self.artifact.format}-{self.target.precision}-{key}.jsonl"
        return results / "accuracy" / "predictions" / name


def _versions(runtime: str) -> dict[str, str]:
    """The versions of what lies between an image and its classes on a runtime."""
    if runtime.startswith("torch"):
        return versions(_TORCH)
    further = versions(_BY_RUNTIME.get(runtime, ()))
    return versions(_TORCH + _OTHERS) | {name: found for name, found in further.items() if found != "absent"}
