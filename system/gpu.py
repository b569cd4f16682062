"""The NVIDIA GPU that CUDA programs get here, by the driver's own library: no package is needed."""

import ctypes
from dataclasses import dataclass
from typing import Any

NO_DRIVER = "no NVIDIA driver (libcuda.so.1)"
NO_GPU = "an NVIDIA driver, but no NVIDIA GPU"
_CUDA_ERROR_NO_DEVICE = 100

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@dataclass(frozen=True)
class Gpu:
    """CUDA's device 0; `uuid` as NVML spells it, `driver_cuda` the newest CUDA that the driver knows: (12, 4)."""

    name: str
    uuid: str
    compute_capability: tuple[int, int]
    driver_cuda: tuple[int, int]

    @property
    def sm(self) -> str:
        """The architecture as compilers name it: sm_70 is a V100, sm_75 a T4."""
        return "sm_{}{}".format(*self.compute_capability)

    @property
    def capability(self) -> str:
        """The compute capability as NVIDIA writes it: "7.5" is a T4's."""
        return "{}.{}".format(*self.compute_capability)


def find_gpu() -> Gpu | str:
    """The GPU, or why there is none."""
    driver = _driver()
    if isinstance(driver, str):
        return driver
    cuda, _ = driver
    device, uuid = ctypes.c_int(), (ctypes.c_ubyte * 16)()
    version, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    cuda.cuDeviceGet(ctypes.byref(device), 0)
    cuda.cuDeviceGetUuid(uuid, device)
    cuda.cuDriverGetVersion(ctypes.byref(version))
    cuda.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, device)
    cuda.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, device)
    return Gpu(
        name=_name(cuda, device),
        uuid=_uuid(bytes(uuid)),
        compute_capability=(major.value, minor.value),
        driver_cuda=(version.value // 1000, version.value % 1000 // 10),  # 12040 is CUDA 12.4
    )


def gpu_names() -> list[str]:
    """The names of all GPUs that CUDA programs get here; none where there is no driver."""
    driver = _driver()
    if isinstance(driver, str):
        return []
    cuda, count = driver
    names, device = [], ctypes.c_int()
    for ordinal in range(count):
        cuda.cuDeviceGet(ctypes.byref(device), ordinal)
        names.append(_name(cuda, device))
    return names


def _driver() -> tuple[Any, int] | str:
    """The driver's library and how many GPUs it has, at least one; or why there is none."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return NO_DRIVER
    count = ctypes.c_int()
    failure = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    if failure not in (0, _CUDA_ERROR_NO_DEVICE):
        return f"an NVIDIA driver that does not start (CUDA error {failure})"
    if failure or count.value == 0:
        return NO_GPU
    return cuda, count.value


def _name(cuda: Any, device: ctypes.c_int) -> str:
    name = ctypes.create_string_buffer(256)
    cuda.cuDeviceGetName(name, len(name), device)
    return name.value.decode()


def _uuid(raw: bytes) -> str:
    text = raw.hex()
    return "GPU-" + "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
