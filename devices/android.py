"""Not a runtime (devices/runtimes/android.py is): scripts outside this repository import the parser by this name."""

from devices.phone.benchmark_model import parse_benchmark_model

__all__ = ["parse_benchmark_model"]
