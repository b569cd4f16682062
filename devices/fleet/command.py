"""`python -m devices --ray ADDRESS`: the hosts of a cluster, what each can run or why not, and who uses it."""

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from devices.environment import environment_of
from devices.fleet.inspection import Phone, Wanted
from devices.fleet.survey import PROGRAM, Surveyed, survey
from devices.phone.listing import READY
from devices.targets import Target
from system.cluster_connection import connected
from system.cluster_options import address_of, read_runtime_env
from system.command_line import print_json, print_table
from system.errors import printable

_MOST_NAMES = 4  # of hosts of which the same is said

# Of a target: each answer, and the hosts that gave it.
Answers = dict[str | None, list[Surveyed]]


def list_hosts(arguments: argparse.Namespace, targets: Sequence[Target]) -> int:
    """Print what there is; only targets that some host can run, unless targets were named. Exit 0."""
    wanted = [Wanted(target=each, environment=environment_of(each.name, arguments.targets)) for each in targets]
    with connected(address_of(arguments.ray), read_runtime_env(arguments.runtime_env)) as cluster:
        users = [user for user in cluster.users() if user[1] != PROGRAM]
        hosts = survey(cluster, wanted)
    found = {target.name: answers_of(target, hosts) for target in targets}
    shown = [target for target in targets if arguments.target or None in found[target.name]]
    if arguments.json:
        print_json(document(hosts, users, shown))
        return 0
    print_table(["host", "cores", "memory", "GPUs", "phones", "offers", "used by", "suite"], host_rows(hosts, users))
    print()  # noqa: T201
    print_table(["target", "title", "on", "there"], [row for target in shown for row in target_rows(target, hosts)])
    return 0


def answers_of(target: Target, hosts: Sequence[Surveyed]) -> Answers:
    """What the hosts that answered say of a target; those that can run it, under None, come first."""
    found: Answers = {}
    for host in hosts:
        for absence in host.said.absences if host.said is not None else []:
            if absence.target == target.name:
                found.setdefault(absence.reason, []).append(host)
    return dict(sorted(found.items(), key=lambda each: (each[0] is not None, each[0] or "")))


def host_rows(hosts: Sequence[Surveyed], users: Sequence[tuple[str, str]]) -> list[list[str]]:
    """A row of each host; texts come from there, so what a terminal would obey is escaped."""
    rows = []
    for host in hosts:
        facts = host.said.facts if host.said is not None else None
        row = ["", "", "", ""]
        if facts is not None:
            memory = f"{facts.memory_bytes / 1e9:.0f} GB"
            row = [str(facts.cores), memory, _counted(facts.gpus), ", ".join(map(_phone, facts.phones))]
        suite = host.error or ("runs" if facts is not None else "says nothing of its host")
        cells = [host.node.host, *row, _offers(host), _counted(_used_by(host, users)), suite]
        rows.append([printable(cell) for cell in cells])
    return rows


def target_rows(target: Target, hosts: Sequence[Surveyed]) -> list[list[str]]:
    """A row of each answer that hosts give of a target."""
    rows = [
        [target.name, target.title, _names(those), printable(reason or "ready")]
        for reason, those in answers_of(target, hosts).items()
    ]
    return rows or [[target.name, target.title, "", "no host answered"]]


def document(hosts: Sequence[Surveyed], users: Sequence[tuple[str, str]], targets: Sequence[Target]) -> dict[str, Any]:
    """All of it for other programs."""
    return {
        "hosts": [
            {
                "host": host.node.host,
                "node": host.node.name,
                "resources": host.node.resources,
                "facts": _plain(host),
                "used_by": _used_by(host, users),
                "error": host.error or None,
            }
            for host in hosts
        ],
        "targets": [
            {
                "name": target.name,
                "title": target.title,
                "on": [
                    {"host": host.node.host, "node": host.node.name, "available": reason is None, "absence": reason}
                    for reason, those in answers_of(target, hosts).items()
                    for host in those
                ],
            }
            for target in targets
        ],
    }


def _plain(host: Surveyed) -> dict[str, Any] | None:
    if host.said is None or host.said.facts is None:
        return None
    facts: dict[str, Any] = msgspec.to_builtins(host.said.facts)
    return {name: value for name, value in facts.items() if name != "type"}


def _used_by(host: Surveyed, users: Sequence[tuple[str, str]]) -> list[str]:
    return [what for name, what in users if name == host.node.host]


def _offers(host: Surveyed) -> str:
    return ", ".join(f"{name} {amount:g}" for name, amount in sorted(host.node.telling.items()))


def _phone(phone: Phone) -> str:
    about = phone.model.replace("_", " ") if phone.state == READY else phone.state
    return f"{phone.serial} ({about})"


def _counted(names: Sequence[str]) -> str:
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in Counter(names).items())


def _names(hosts: Sequence[Surveyed]) -> str:
    names = [printable(host.node.host) for host in hosts]
    more = len(names) - _MOST_NAMES
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:_MOST_NAMES])} and {more} more"
