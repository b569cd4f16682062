"""Whether providers that are timed by the host's clock can run here, and how a session of ONNX Runtime gets one."""

import importlib
import importlib.util
import platform
import sys
from typing import Any

from devices.host.ort_options import CORE_ML, QNN, AcceleratorOptions, QnnOptions
from system.errors import UserError


def absence(provider: str) -> str | None:
    """Why a provider can't run here, and what brings it; None where it can."""
    here = f"{sys.platform} {platform.machine()}"
    if provider == CORE_ML and sys.platform != "darwin":
        return f"Core ML is macOS's, this is {here}; on a Mac `make bench-coreml` installs all of it"
    if provider == CORE_ML and provider not in _built_in():
        return f"this onnxruntime has no {CORE_ML}; pip install onnxruntime"
    if provider == QNN and platform.machine() not in {"aarch64", "ARM64"}:
        return f"QNN runs on Qualcomm's ARM64 processors, this is {here}; there `make bench-qnn` installs it"
    if provider == QNN and importlib.util.find_spec("onnxruntime_qnn") is None:
        return "no onnxruntime-qnn; `make bench-qnn` installs it"
    return None


def add_provider(settings: Any, options: AcceleratorOptions) -> dict[str, str | int]:
    """Give the settings of a session the provider that `options` name; returns what it was told, and its device.

    Raises UserError where QNN finds no device.
    """
    told = options.told
    if not isinstance(options, QnnOptions):
        settings.add_provider(options.provider, told)
        return {**told}
    device = _qnn_device(options)
    settings.add_provider_for_devices([device], told)
    return {**told, "device": device.device.type.name}


def _built_in() -> list[str]:
    import onnxruntime

    found: list[str] = onnxruntime.get_available_providers()
    return found


def _qnn_device(options: QnnOptions) -> Any:
    """The device of the backend; the first one where the system doesn't tell them apart.

    QNN is a plugin since its version 2: a library of its own, which is registered by its path.
    """
    import onnxruntime

    if not _devices_of(QNN):
        plugin = importlib.import_module("onnxruntime_qnn")
        onnxruntime.register_execution_provider_library(QNN, plugin.get_library_path())
    found = _devices_of(QNN)
    if not found:
        raise UserError("QNN finds no device", found="none", fix="check that this processor's QNN driver is installed")
    wanted = {"htp": "NPU", "gpu": "GPU"}[options.backend]
    return next((device for device in found if device.device.type.name == wanted), found[0])


def _devices_of(provider: str) -> list[Any]:
    import onnxruntime

    return [device for device in onnxruntime.get_ep_devices() if device.ep_name == provider]
