"""Hosts whose programs answer in threads of this process: what a cluster is to a sweep, without one."""

import functools
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from bench.fleet.command import run_all
from bench.fleet.messages import read_question
from bench.fleet.server import Server
from system.cluster import Demand, LineLost, Node
from system.errors import UserError


def sweep_all(hosts, requests):
    """Sweep every target; its records, or the UserError that says why there are none."""
    return run_all(hosts, requests, lambda _, records: records)


class ThreadLine:
    """A program in a thread. `lost` makes every answer that isn't there yet a LineLost."""

    def __init__(self, node, program, give_back):
        self.host = self.node = node
        self.program, self._give_back = program, give_back
        self._pool = ThreadPoolExecutor(1)
        self._asked, self.closed = [], False

    def ask(self, message):
        answered = Future()
        if self.closed:
            answered.set_exception(LineLost("its process has ended"))
            return answered
        self._asked.append(answered)

        def answer():
            try:
                answer = self.program.answer(message)
            except Exception as error:  # a program that dies
                self.lose(str(error))
                return
            if not answered.done():
                answered.set_result(answer)

        self._pool.submit(answer)
        return answered

    def lose(self, why="its host is gone"):
        for each in self._asked:
            if not each.done():
                each.set_exception(LineLost(why))
        self.close()

    def close(self):
        if not self.closed:
            self.closed = True
            self._pool.shutdown(wait=False)
            self._give_back()
            for each in self._asked:
                if not each.done():
                    each.set_exception(LineLost("its process has ended"))


class ThreadHosts:
    """`programs` makes the program of each node, by its name; nodes have `resources`."""

    def __init__(self, programs, **resources):
        self._programs = programs
        self._nodes = [Node(name, name, {"CPU": 2.0} | resources) for name in programs]
        self._free = {node.name: dict(node.resources) for node in self._nodes}
        self._changed = threading.Condition()
        self.lines = []

    def nodes(self):
        return list(self._nodes)

    def remove(self, name):
        """A node goes, and every program on it."""
        self._nodes = [node for node in self._nodes if node.name != name]
        for line in self.lines:
            if line.node == name and not line.closed:
                line.lose()

    def hold(self, demand: Demand, environment, *, name, stop):
        while not stop.is_set():
            able = [node for node in self._nodes if node.offers(demand)]
            if not able:
                raise UserError("no host offers it", found="none", fix="none")
            for node in able:
                wanted = dict(demand.resources) | ({"CPU": node.resources["CPU"]} if demand.whole_host else {})
                with self._changed:
                    free = self._free[node.name]
                    if all(free.get(each, 0) >= amount for each, amount in wanted.items()):
                        for each, amount in wanted.items():
                            free[each] -= amount
                        give_back = functools.partial(self._add, free, wanted)
                        line = ThreadLine(node.name, self._programs[node.name](), give_back)
                        self.lines.append(line)
                        return line
            with self._changed:
                self._changed.wait(0.05)
        raise UserError("the wait for a host was ended", found="an interruption", fix="none")

    def _add(self, free, wanted):
        with self._changed:
            for each, amount in wanted.items():
                free[each] += amount
            self._changed.notify_all()


class Program:
    """A real server in this process; `seen` are the questions, by type, and `before` is called with each."""

    def __init__(self, own, before=None, after=None):
        self.server, self.before, self.after, self.seen = Server(own), before, after, []

    def answer(self, message):
        question = read_question(message)
        self.seen.append(type(question).__name__)
        if self.before and (instead := self.before(question)) is not None:
            return instead
        answer = self.server.answer(message)
        return self.after(question, answer) if self.after else answer

    def close(self):
        self.server.close()
