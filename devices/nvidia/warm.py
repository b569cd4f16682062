"""How long an NVIDIA GPU is warmed up and sampled, where that differs from what a host's processor needs."""

from collections.abc import Mapping

from devices.targets import Target

# An idle card's clocks are low (an H200: 345 MHz of 1980) and rise with the load; its power, averaged over one second
# on newer cards (NVML's description of nvmlDeviceGetPowerUsage), follows later. A warm-up is judged by quarters of
# `warmup_s`: after 3 s its last two lie more than one such second after its start. The bound is five times that, as on
# a host. A visit of one second has 20 readings of NVML beside it, and waits for the GPU once, since no reference
# workloads are read within.
_PROTOCOL = {"warmup_s": 3.0, "warmup_max_s": 15.0, "visit_s": 1.0, "reading_every_s": 1.0}


def protocol(target: Target) -> Mapping[str, float]:
    """The fields of the protocol that are others on a GPU."""
    return _PROTOCOL
