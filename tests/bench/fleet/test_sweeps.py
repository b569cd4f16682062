"""Sweeps of the fake device on hosts in threads: what a device, a host or an answer may do to them."""

import gc
import hashlib
import signal
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench.fleet.command import run_all
from bench.fleet.messages import (
    Begin,
    Came,
    Clock,
    Content,
    Go,
    Happened,
    Hello,
    Hosted,
    Made,
    Make,
    Refused,
    encode,
    read_answer,
)
from bench.records.journal import Journal, Visited
from bench.records.store import read_records
from bench.sweep import SweepRequest
from exporters import to_fake
from system.cluster import Demand
from system.errors import UserError
from tests.bench.fleet.in_threads import Program, ThreadHosts, sweep_all

FEW = ("*t-B3", "*t-B5", "*t-B6")


def ctrl_c():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def nothing_doubled(request: SweepRequest) -> list:
    """The records on disk: one of each network, each visit once, no journal left."""
    records = read_records(request.results / f"{request.target.name}.jsonl")
    assert Counter(record.model.name for record in records) == Counter(model.name for model in request.models)
    measured = [record for record in records if record.measurement]
    visits = [(record.model.name, visit.at_s) for record in measured for visit in record.measurement.visits]
    assert len(set(visits)) == len(visits)
    assert all(record.measurement or record.reason for record in records)
    assert not (request.results / f"{request.target.name}.journal").exists()
    return records


@pytest.fixture
def on_hosts(tmp_path):
    """Sweeps on hosts, whose programs do `before` and `after` each question; the hosts, and what came of each sweep."""

    def run(*requests, names=("one",), before=None, after=None, **resources):
        made = []

        def program(name):
            made.append(Program(tmp_path / name, before and before(name, len(made)), after and after(name, len(made))))
            return made[-1]

        hosts = ThreadHosts({name: lambda name=name: program(name) for name in names}, **resources)
        return hosts, sweep_all(hosts, requests), made

    return run


def test_a_sweep_elsewhere_has_the_numbers_of_one_here(on_hosts, order):
    _, (records,), _ = on_hosts(order("*t-B?"))
    table = {record.model.name: record.measurement.estimate.number_s for record in records}
    assert table["EfficientNet-B6"] == 0.429
    assert {record.verdict.word for record in records} == {"stable"}
    assert [record.model.name for record in nothing_doubled(order("*t-B?"))]


def test_records_are_held_no_longer_than_until_they_are_kept(order, tmp_path):
    hosts, seen = ThreadHosts({"one": lambda: Program(tmp_path / "one")}), []

    def keep(request, records):
        seen.append(all(line.closed for line in hosts.lines))
        return len(records)

    asked = order("*t-B?")
    assert run_all(hosts, [asked], keep) == [len(asked.models)]
    assert seen == [False]  # closing, which takes its time, comes after
    assert all(line.closed for line in hosts.lines)


@pytest.fixture
def collecting_after_500():
    usual = gc.get_threshold()  # Pythons differ in it
    gc.set_threshold(500, *usual[1:])
    yield
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("collecting_after_500")
def test_the_garbage_collector_waits_for_a_visit_of_every_sweep(order, tmp_path):
    hosts, seen = ThreadHosts({"one": lambda: Program(tmp_path / "one")}), []

    def keep(request, records):
        seen.append(gc.get_threshold()[0])
        return len(records)

    asked = order("*t-B3")
    several = [replace(asked, results=tmp_path / f"results-{number}") for number in range(9)]
    assert run_all(hosts, several, keep) == [1] * 9
    assert seen == [900] * 9
    assert gc.get_threshold()[0] == 500


def dying(count, *kinds):
    """A program that ends at the question number `count` of these kinds."""

    def before(name, number):
        seen = []

        def end(question):
            if type(question) in kinds:
                seen.append(question)
                if len(seen) == count:
                    raise RuntimeError("it was killed")

        return end

    return before


@pytest.mark.parametrize("kind", [Begin, Hello])
def test_a_device_that_can_never_be_held_is_the_reason_of_every_network(on_hosts, order, kind):
    _, (records,), _ = on_hosts(order(*FEW), before=dying(1, kind))
    assert {record.reason for record in records} == {"it was killed"}
    nothing_doubled(order(*FEW))


def only_first(of):
    """What is done to the program that was started first, counting those of devices alone."""

    def before(name, number):
        done = of(name, number)
        return done if number == 0 else None

    return before


@pytest.mark.parametrize("count", [1, 5, 17])
def test_a_program_that_ends_in_a_visit_is_replaced_and_the_visit_made_again(on_hosts, order, count):
    hosts, (records,), made = on_hosts(order(*FEW), before=only_first(dying(count, Go)))
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    assert len(made) == 2
    assert all(line.closed for line in hosts.lines)
    nothing_doubled(order(*FEW))


def test_a_program_that_always_ends_costs_the_networks_but_not_the_sweep(on_hosts, order):
    _, (records,), made = on_hosts(order(*FEW), before=dying(1, Go))
    assert all("processes were lost during its visits: it was killed" in record.reason for record in records)
    assert len(made) <= 2 * len(FEW) + 1
    nothing_doubled(order(*FEW))


def test_a_first_device_that_is_lost_before_its_first_visit_is_replaced(on_hosts, order):
    _, (records,), _ = on_hosts(order(*FEW), before=only_first(dying(1, Clock)))
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]


def test_a_device_that_is_always_lost_before_its_first_visit_ends_the_sweep_with_reasons(on_hosts, order):
    _, (records,), _ = on_hosts(order(*FEW), before=dying(1, Clock))
    assert {record.reason for record in records} == {"no device is left to measure it: it was killed"}


def test_an_answer_that_is_lost_is_a_visit_that_is_made_again(on_hosts, order):
    def after(name, number):
        def lose(question, answer):
            if number == 0 and isinstance(question, Go):
                raise RuntimeError("lost on its way")
            return answer

        return lose

    _, (records,), _ = on_hosts(order(*FEW), after=after)
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    nothing_doubled(order(*FEW))


def test_a_late_answer_of_a_program_that_was_given_up_counts_for_nothing(on_hosts, order):
    go_on = threading.Event()

    def after(name, number):
        def wait(question, answer):
            if number == 0 and isinstance(question, Go):
                go_on.wait(30)
            elif number == 1 and isinstance(question, Go):
                go_on.set()
                time.sleep(0.2)  # the late answer is there by now
            return answer

        return wait

    request = order(*FEW, timeout_s=0.2, max_visits=6)
    _, (records,), _ = on_hosts(request, after=after)
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    nothing_doubled(request)


def altered(change, kind=Happened):
    """Each answer of a kind, changed."""

    def after(name, number):
        def alter(question, answer):
            if isinstance(question, Go) and not isinstance(came := read_answer(answer, kind), Refused):
                return encode(change(came))
            return answer

        return alter

    return after


def with_visit(**fields):
    return lambda came: msgspec.structs.replace(came, visit=msgspec.structs.replace(came.visit, **fields))


def with_samples(**fields):
    def change(came):
        samples = msgspec.structs.replace(came.visit.samples, **fields)
        return msgspec.structs.replace(came, visit=msgspec.structs.replace(came.visit, samples=samples))

    return change


def with_other_evidence(came):
    """As no program of this suite can write it."""
    answer = msgspec.to_builtins(came)
    answer["visit"]["samples"]["evidence"] = {"wait_s": []}
    return answer


IMPOSSIBLE = {
    "no samples": with_samples(seconds=[]),
    "a sample of -1.0 s": with_samples(seconds=[-1.0]),
    "a sample of nan s": with_samples(seconds=[float("nan")]),
    "a sample of inf s": with_visit(settle_s=[float("inf")]),
    "can't be read: 0 values of wait_s for": with_other_evidence,
    "evidence that is no number": with_samples(seconds=[1.0], evidence={"wait_s": [float("nan")]}),
    "it waited": with_samples(conditions=[{"waited_s": "long"}]),
    "no record can hold": with_samples(conditions=[{"x": msgspec.msgpack.Ext(5, b"x")}]),
    "it began at": with_visit(at_s=float("nan")),
    "schema 1": lambda came: with_visit(before={"arithmetic": came.visit.samples})(came),
    "is impossible: inf s": lambda came: msgspec.structs.replace(came, elapsed_s=float("inf")),
    "is impossible: nan s": lambda came: msgspec.structs.replace(came, elapsed_s=float("nan")),
}


@pytest.mark.parametrize("said", IMPOSSIBLE)
def test_what_cannot_have_been_measured_is_refused_with_a_reason(on_hosts, order, said):
    _, (records,), _ = on_hosts(order(*FEW), after=altered(IMPOSSIBLE[said]))
    for record in records:
        assert record.measurement is None
        assert said in record.reason
        assert "\n" not in record.reason
    nothing_doubled(order(*FEW))


@pytest.mark.parametrize("message", [b"", b"\x80\x04pickle", encode(Content(content=b"x")), b"\x91" * 200_000])
def test_an_answer_that_is_none_is_refused_with_a_reason(on_hosts, order, message):
    def before(name, number):
        return lambda question: message if isinstance(question, Go) else None

    _, (records,), _ = on_hosts(order(*FEW), before=before)
    assert all("answer can't be read" in record.reason for record in records)
    nothing_doubled(order(*FEW))


def test_a_host_of_other_messages_is_the_reason_of_every_network(on_hosts, order):
    def before(name, number):
        return lambda question: encode({"type": "Hosted2", "machine": {}})

    _, (records,), _ = on_hosts(order(*FEW), before=before)
    assert all("install the same version of the suite there" in record.reason for record in records)


def test_a_device_that_comes_back_with_other_versions_is_not_used(on_hosts, order):
    def after(name, number):
        def alter(question, answer):
            if number > 0 and isinstance(question, Hello):
                came = read_answer(answer, Hosted)
                other = msgspec.structs.replace(came.machine, versions=came.machine.versions | {"numpy": "0.1"})
                return encode(msgspec.structs.replace(came, machine=other))
            return answer

        return alter

    _, (records,), made = on_hosts(order(*FEW), before=only_first(dying(5, Go)), after=after)
    assert len(made) == 2
    for record in records:
        assert "is not the machine it was" in record.reason
    assert sum(len(record.measurement.visits) for record in records if record.measurement) == 4
    nothing_doubled(order(*FEW))


def test_what_a_host_says_of_files_is_not_believed(on_hosts, order, tmp_path):
    """Records name the file that the driver sent, and no path that a host made up is opened here."""
    trap = tmp_path / "trap"

    def after(name, number):
        def alter(question, answer):
            if isinstance(question, Go):
                came = read_answer(answer, Happened)
                opened = [
                    msgspec.structs.replace(
                        each, artifact=msgspec.structs.replace(each.artifact, path=str(trap), sha256="0")
                    )
                    for each in came.opened
                ]
                return encode(msgspec.structs.replace(came, opened=opened))
            return answer

        return alter

    _, (records,), _ = on_hosts(order(*FEW), after=after)
    assert all(record.artifact.sha256 != "0" and record.artifact.path != str(trap) for record in records)


def test_targets_that_measure_at_once_wait_for_the_same_host(on_hosts, order, tmp_path):
    one = order(*FEW)
    other = msgspec.structs.replace(one.target, name="fake@2")
    two = SweepRequest(
        target=other, models=one.models, protocol=one.protocol, results=one.results, artifacts=one.artifacts
    )  # fmt: skip
    _, outcomes, _ = on_hosts(one, two)
    assert [isinstance(outcome, list) for outcome in outcomes] == [True, True], outcomes
    for request in (one, two):
        nothing_doubled(request)


def test_nobody_waits_for_a_device_once_the_sweep_is_over(on_hosts, order, monkeypatch):
    """A device that is lost and then taken by someone else; the other one measures all."""
    taken = []

    def before(name, number):
        def end(question):
            if isinstance(question, Go) and name == "one" and not taken:
                taken.append(question)
                raise RuntimeError("it was killed")

        return end

    # Whatever is given back on the first host goes to someone else.
    monkeypatch.setattr(ThreadHosts, "_add", lambda self, free, wanted: None)
    _, (records,), _ = on_hosts(order(*FEW), names=("one", "two"), before=before)
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]


def interrupting(at):
    """Ctrl-C in visit number `at`, which is answered when nobody waits for it any more."""
    gone = []

    def before(name, number):
        def interrupt(question):
            if isinstance(question, Go):
                gone.append(question)
                if len(gone) == at:
                    ctrl_c()
                    time.sleep(2.0)

        return interrupt

    return before


def visits_in_the_journal(request):
    return [each.visit for each in Journal(request.results, "fake").entries() if isinstance(each, Visited)]


def test_an_interruption_keeps_every_visit_and_what_is_resumed_doubles_none(on_hosts, order):
    with pytest.raises(KeyboardInterrupt):
        on_hosts(order(*FEW), before=interrupting(8))
    kept = visits_in_the_journal(order())
    assert len(kept) == 7
    _, (records,), _ = on_hosts(order(*FEW, resume=True))
    visits = [visit for record in records for visit in record.measurement.visits]
    assert len(visits) == 18
    assert all(visit in visits for visit in kept)
    nothing_doubled(order(*FEW))


def test_an_interruption_ends_the_wait_for_a_device_that_someone_else_holds(order, tmp_path):
    hosts = ThreadHosts({"one": lambda: Program(tmp_path / "one")})
    other = hosts.hold(Demand({}, whole_host=True), "cpu", name="someone else", stop=threading.Event())
    threading.Timer(0.5, ctrl_c).start()
    with pytest.raises(KeyboardInterrupt):
        sweep_all(hosts, [order(*FEW)])
    assert [line.closed for line in hosts.lines] == [False]
    threading.Timer(0.5, other.close).start()
    (records,) = sweep_all(hosts, [order(*FEW)])
    assert all(record.measurement for record in records)


def test_to_go_on_needs_a_device_and_its_absence_loses_nothing(on_hosts, order):
    """Without one there is no machine to compare: the sweep stays as it was interrupted."""
    test_an_interruption_keeps_every_visit_and_what_is_resumed_doubles_none(on_hosts, order)
    _, (error,), _ = on_hosts(order(*FEW, resume=True), before=dying(1, Hello))
    assert isinstance(error, UserError)
    assert "no device to go on with" in str(error)
    nothing_doubled(order(*FEW))


def no_device(question):
    if isinstance(question, Begin):
        return encode(Refused(reason="no device there"))
    return None


def dies(question):
    if isinstance(question, Begin):
        raise RuntimeError("it was killed")


UNFIT = {"refuses": no_device, "is lost": dies}


@pytest.mark.parametrize("fault", UNFIT)
def test_where_a_host_refuses_or_is_lost_at_first_the_next_one_serves(on_hosts, order, fault):
    def before(name, number):
        return UNFIT[fault] if name == "one" else None

    hosts, (records,), _ = on_hosts(order(*FEW), names=("one", "two"), before=before)
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    assert {"one", "two"} <= {line.node for line in hosts.lines}
    assert all(line.closed for line in hosts.lines)
    nothing_doubled(order(*FEW))


@pytest.mark.parametrize("fault", UNFIT)
def test_where_no_host_serves_the_reason_is_the_last_one_s(on_hosts, order, fault):
    def before(name, number):
        return UNFIT[fault] if name == "one" else no_device

    _, (records,), _ = on_hosts(order(*FEW), names=("one", "two"), before=before)
    assert {record.reason for record in records} == {"host two refuses: no device there; see that host"}
    nothing_doubled(order(*FEW))


@pytest.mark.parametrize("fault", UNFIT)
def test_where_the_host_that_replaces_another_refuses_the_next_one_serves(on_hosts, order, fault):
    gone = []

    def before(name, number):
        def once(question):
            if name == "one" and isinstance(question, Go) and not gone:
                gone.append(question)
                raise RuntimeError("it was killed")
            return UNFIT[fault](question) if name == "one" and gone else None

        return once

    _, (records,), _ = on_hosts(order(*FEW), names=("one", "two"), before=before)
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    nothing_doubled(order(*FEW))


def another_machine(name, number):
    """Host one is another machine."""

    def alter(question, answer):
        if name == "one" and isinstance(question, Hello):
            came = read_answer(answer, Hosted)
            return encode(msgspec.structs.replace(came, machine=msgspec.structs.replace(came.machine, cpu="another")))
        return answer

    return alter


@pytest.mark.parametrize("fault", [*UNFIT, "is another machine"])
def test_to_go_on_the_hosts_are_asked_until_one_serves(on_hosts, order, fault):
    with pytest.raises(KeyboardInterrupt):
        on_hosts(order(*FEW), names=("two",), before=interrupting(8))
    kept = visits_in_the_journal(order())

    def before(name, number):
        return UNFIT.get(fault) if name == "one" else None

    after = another_machine if fault not in UNFIT else None
    hosts, (records,), _ = on_hosts(order(*FEW, resume=True), names=("one", "two"), before=before, after=after)
    assert {"one", "two"} <= {line.node for line in hosts.lines}
    visits = [visit for record in records for visit in record.measurement.visits]
    assert len(visits) == 18
    assert all(visit in visits for visit in kept)
    nothing_doubled(order(*FEW))


def test_a_sweep_that_ended_is_gone_on_with_on_the_machine_of_its_newest_record(on_hosts, order):
    on_hosts(order("*t-B3"), names=("two",))
    resumed = order("*t-B3", "*t-B5", resume=True)
    _, (records,), _ = on_hosts(resumed, names=("one", "two"), after=another_machine)
    assert len({record.sweep for record in records}) == 1
    assert [len(record.measurement.visits) for record in records] == [6, 6]
    nothing_doubled(resumed)


def built_on(host, artifact):
    """The file of a network that a host builds, where its programs find it."""
    content = f"{artifact.model} built on {host}\n".encode()
    sha256 = hashlib.sha256(content).hexdigest()
    path = Path(artifact.path).parents[1] / "by-content" / sha256
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return msgspec.structs.replace(artifact, sha256=sha256, size_bytes=len(content))


@pytest.fixture
def bound(monkeypatch):
    """What has each host make files of its own, as a TensorRT plan is."""
    monkeypatch.setattr(to_fake, "FORMAT", replace(to_fake.FORMAT, build_host=lambda job: {"host": "this one"}))

    def after(name, number):
        def alter(question, answer):
            if not isinstance(question, Make):
                return answer
            made = read_answer(answer, Made).outcomes
            return encode(Made(outcomes=[Came(artifact=built_on(name, each.artifact)) for each in made]))

        return alter

    return after


def put_apart(request, records):
    """The visits of files that are not the last ones, once what else is on disk was found to be these records."""
    on_disk = read_records(request.results / "fake.jsonl")
    assert on_disk[-len(records) :] == records
    apart = on_disk[: -len(records)]
    assert not {record.artifact.sha256 for record in apart} & {record.artifact.sha256 for record in records}
    assert all("another file instead" in record.reason for record in apart)
    assert not (request.results / "fake.journal").exists()
    return [visit for record in apart for visit in record.measurement.visits]


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_host_that_takes_over_with_files_of_its_own_measures_anew_and_no_visit_is_lost(
    on_hosts, order, bound, comes_back
):
    """Whose program was killed is asked before others, since it has the files that were measured so far."""
    seen = []

    def before(name, number):
        def act(question):
            if name == "one" and isinstance(question, Go):
                seen.append(question)
                if len(seen) == 8:
                    raise RuntimeError("it was killed")
            killed = len(seen) >= 8
            unfit = killed and not comes_back if name == "one" else not killed
            return no_device(question) if unfit else None

        return act

    _, (records,), _ = on_hosts(order(*FEW), names=("two", "one"), before=before, after=bound)
    assert [(len(record.measurement.visits), record.reason) for record in records] == [(6, None)] * 3
    assert len(put_apart(order(), records)) == (0 if comes_back else 7)


def test_going_on_with_files_of_another_host_measures_anew_and_no_visit_is_lost(on_hosts, order, bound):
    with pytest.raises(KeyboardInterrupt):
        on_hosts(order(*FEW), names=("one",), before=interrupting(8), after=bound)
    kept = visits_in_the_journal(order())
    _, (records,), _ = on_hosts(order(*FEW, resume=True), names=("two",), after=bound)
    assert [(len(record.measurement.visits), record.reason) for record in records] == [(6, None)] * 3
    apart = put_apart(order(), records)
    assert len(apart) == len(kept) == 7
    assert all(visit in apart for visit in kept)
