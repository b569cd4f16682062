"""NVIDIA's driver and cards, as far as they are here."""

import ctypes


def no_gpu() -> str | None:
    """Why there is no NVIDIA GPU to run on, or None where there is one."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no NVIDIA driver (libcuda.so.1)"
    count = ctypes.c_int()
    if cuda.cuInit(0) != 0 or cuda.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return "an NVIDIA driver, but no NVIDIA GPU"
    return None


if __name__ == "__main__":
    # `make` asks on bare Python, before it installs what a lane needs.
    import sys

    if reason := no_gpu():
        sys.exit(f"error: no NVIDIA GPU to measure on: {reason}; see the GPU section of README.md, or run make bench")
