"""What of a Ray cluster a target takes: a GPU of its kind, a resource of its name, or all cores of a host."""

import re
from collections.abc import Sequence

from devices.runtime import runtime_of
from devices.targets import Target
from system.cluster import ACCELERATOR, Demand, Node
from system.names import split_at

_ANY_GPU = "NVIDIA GPU"
_HOSTS_OWN = {"CPU", "none"}  # processors, and the fake device
_MAKERS = r"(Tesla|NVIDIA) "
_A_TRACE = 0.001  # of the resource that says which kind of GPU a host has: it is not used up


def demand_of(target: Target, nodes: Sequence[Node]) -> Demand:
    """What a sweep of a target holds while it measures, so that it is alone on its device.

    A resource of the target's name, such as `pixel2`, comes first, wherever a host offers one: so that a certain host
    can be chosen for any target. Else a GPU of the kind that the target names; else all cores of any host. Whoever
    measures takes a core of the host, and exports take all of them, so that none runs beside a measurement; only a
    target whose networks run elsewhere, as on a phone, takes none.
    """
    name, _ = split_at(target.name)
    cores = {} if runtime_of(target).elsewhere else {"CPU": 1.0}
    # A fleet of thousands asks this of all its nodes for each device, so no function is called for a node.
    if named := [node for node in nodes if name in node.resources and node.resources[name] > 0]:
        gpu = (
            {"GPU": 1.0} if any(node.resources.get("GPU") for node in named) and target.device not in _HOSTS_OWN else {}
        )
        return Demand({name: 1.0} | gpu | cores, whole_host=target.device in _HOSTS_OWN)
    if target.device == _ANY_GPU:
        return Demand({"GPU": 1.0} | cores)
    if target.device in _HOSTS_OWN:
        return Demand(cores, whole_host=True)
    kinds = {each for node in nodes for each in node.resources if each.startswith(ACCELERATOR)}
    wanted = ACCELERATOR + re.sub(_MAKERS, "", target.device).replace(" ", "-")
    return Demand({"GPU": 1.0, wanted: _A_TRACE} | cores) if wanted in kinds else Demand({name: 1.0} | cores)


def devices_of(demand: Demand, nodes: Sequence[Node]) -> int:
    """How many devices the cluster has of a resource that is named after its target; 1 of anything else."""
    counted = [name for name in demand.resources if name not in {"CPU", "GPU"} and not name.startswith(ACCELERATOR)]
    return max([1, *(int(sum(node.resources.get(name, 0.0) for node in nodes)) for name in counted)])
