"""A Ray cluster as the suite sees it: what its hosts offer, and programs that run there while they hold some of it.

Only `cluster_connection`, `cluster_actor` and `cluster_head` beside it know Ray.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import NamedTuple, Protocol

ACCELERATOR = "accelerator_type:"  # how Ray's resources begin that name a kind of GPU


class LineLost(Exception):  # noqa: N818 - it ends one line, not the program
    """A program on a host that answers no more, with the reason in one line."""


class Answerer(Protocol):
    """A program that a line leads to."""

    def answer(self, message: bytes) -> bytes:
        """The answer to a message; it raises nothing."""

    def close(self) -> None:
        """End it."""


class Line(Protocol):
    """A program on a host, and what it holds there. `host` is the host's name, `node` its identity in Ray."""

    host: str
    node: str

    def ask(self, message: bytes) -> "Future[bytes]":
        """Send a message; its answer comes later, or LineLost where the program or its host is gone."""

    def close(self) -> None:
        """End the program at once and give back what it holds; a second call does nothing."""


class Demand(NamedTuple):
    """What a program holds while it runs: Ray resources by name, on one node or on any.

    `whole_host` adds all cores of the node, so that nothing else that takes cores runs there meanwhile. `excluded` are
    nodes that are not asked.
    """

    resources: Mapping[str, float]
    whole_host: bool = False
    node: str | None = None
    excluded: frozenset[str] = frozenset()

    def without(self, node: str) -> "Demand":
        """The same of another node."""
        return self._replace(excluded=self.excluded | {node})


class Node(NamedTuple):
    """A host of the cluster: its identity in Ray, its name, and the resources that it offers in all."""

    name: str
    host: str
    resources: dict[str, float]

    @property
    def telling(self) -> dict[str, float]:
        """The resources by which hosts differ: without those that Ray gives to each."""
        of_each = ("node:", "memory", "object_store_memory")
        return {name: amount for name, amount in self.resources.items() if not name.startswith(of_each)}

    def offers(self, demand: Demand) -> bool:
        """Whether it has what is demanded, used by someone or not."""
        here = demand.node in {None, self.name} and self.name not in demand.excluded
        return here and all(self.resources.get(name, 0.0) >= amount for name, amount in demand.resources.items())
