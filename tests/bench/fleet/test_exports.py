"""Portable files: each made once, on any host that makes what this machine would."""

import os
import socket
import threading

import msgspec
import pytest

from bench.fleet.exports import Exports, portable_of
from bench.fleet.messages import Content, Fetch, Hello, Made, Make, encode, read_answer, read_question
from devices.targets import find_targets
from exporters.artifact import Artifact
from exporters.cache import Cache
from models import find
from system.child import Failure
from tests.bench.fleet.in_threads import Program, ThreadHosts

NAMES = ("EfficientNet-B0", "EfficientNet-B3", "EfficientNet-B5")


@pytest.fixture
def jobs():
    (target,) = find_targets("fake")
    return [portable_of(target.job(model, None, None)) for name in NAMES for model in find(name)]


@pytest.fixture
def exports(tmp_path):
    """Has files made on hosts, whose programs do `before` and `after`; what came, the programs, and the folder."""

    def run(jobs, *, names=("one",), before=None, after=None):
        programs = {}

        def program(name):
            programs[name] = Program(tmp_path / name, before and before(name), after and after(name))
            return programs[name]

        hosts = ThreadHosts({name: lambda name=name: program(name) for name in names})
        driver = tmp_path / "driver"
        with Exports(hosts, driver, threading.Event()) as found:
            found.begin(jobs)
            outcomes = [found.of(job) for job in jobs]
        assert all(line.closed for line in hosts.lines)
        assert [path for path in driver.iterdir() if path.name.startswith(".fetching-")] == []
        return outcomes, programs, driver

    return run


def whole(outcomes, jobs, driver):
    for job, outcome in zip(jobs, outcomes, strict=True):
        assert isinstance(outcome, Artifact), outcome
        assert Cache(driver).find(job) == outcome


def test_a_file_that_several_targets_want_is_made_once(exports, jobs):
    made = []

    def before(name):
        return lambda asked: made.extend(job.model for job in asked.jobs) if isinstance(asked, Make) else None

    outcomes, programs, driver = exports([*jobs, *jobs, *jobs], before=before)
    whole(outcomes, [*jobs, *jobs, *jobs], driver)
    assert sorted(made) == sorted(job.model.name for job in jobs)
    # As many networks at once as the host has cores: two of three, then one.
    assert programs["one"].seen.count("Make") == 2


def test_what_is_there_already_needs_no_host(exports, jobs):
    exports(jobs)
    outcomes, programs, driver = exports(jobs)
    whole(outcomes, jobs, driver)
    assert programs == {}


def test_without_a_host_this_machine_makes_them(exports, jobs):
    outcomes, _, driver = exports(jobs, names=())
    whole(outcomes, jobs, driver)


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_a_host_that_dies_costs_no_file(exports, jobs, names, capsys):
    def before(name):
        def die(question):
            if isinstance(question, Make) and name == "one":
                raise RuntimeError("it was killed")

        return die

    outcomes, _, driver = exports(jobs, names=names, before=before)
    whole(outcomes, jobs, driver)
    assert "warning: a host makes no files: it was killed" in capsys.readouterr().err


class Elsewhere(Program):
    """A program that doesn't see the driver's folder."""

    def answer(self, message):
        question = read_question(message)
        if isinstance(question, Hello):
            message = encode(msgspec.structs.replace(question, artifacts="/nowhere"))
        return super().answer(message)


@pytest.fixture
def afar(monkeypatch):
    monkeypatch.setattr("tests.bench.fleet.test_exports.Program", Elsewhere)


def test_a_file_travels_whole_where_no_folder_is_shared(exports, jobs, afar, monkeypatch):
    from bench.fleet import depot

    monkeypatch.setattr(depot, "PART_BYTES", 7)
    outcomes, programs, driver = exports(jobs)
    whole(outcomes, jobs, driver)
    assert programs["one"].seen.count("Fetch") > len(jobs)


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 10_000_000])
def test_a_file_that_arrives_otherwise_is_made_here(exports, jobs, afar, capsys, content):
    def before(name):
        return lambda question: encode(Content(content=content)) if isinstance(question, Fetch) else None

    outcomes, _, driver = exports(jobs, before=before)
    whole(outcomes, jobs, driver)
    assert "is not what was made" in capsys.readouterr().err


def made_otherwise(**fields):
    def after(name):
        def alter(question, answer):
            if not isinstance(question, Make):
                return answer
            came = read_answer(answer, Made).outcomes
            lies = [
                msgspec.structs.replace(each, artifact=msgspec.structs.replace(each.artifact, **fields))
                for each in came
            ]
            return encode(Made(outcomes=lies))

        return alter

    return after


def test_a_host_of_other_versions_is_not_used_and_said_so(exports, jobs, capsys):
    outcomes, programs, driver = exports(jobs, after=made_otherwise(made_by={"torch": "0.1"}))
    whole(outcomes, jobs, driver)
    assert programs["one"].seen.count("Make") == 1
    said = capsys.readouterr().err
    assert "warning: a host makes no files: one exports otherwise" in said
    assert said.count("\n") == 1


def test_a_host_that_makes_another_file_is_not_used(exports, jobs, capsys):
    outcomes, _, driver = exports(jobs, after=made_otherwise(model="EfficientNet-B7"))
    whole(outcomes, jobs, driver)
    assert "one made another file: EfficientNet-B7" in capsys.readouterr().err


def test_a_path_that_a_host_names_is_never_used_here(exports, jobs, afar, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("what only this machine may read")
    outcomes, _, driver = exports(jobs, after=made_otherwise(path=str(secret)))
    whole(outcomes, jobs, driver)
    assert all(driver in type(driver)(outcome.path).parents for outcome in outcomes)
    assert secret.read_text() == "what only this machine may read"


def test_a_network_that_no_host_can_make_has_the_reason(exports, jobs, monkeypatch):
    def before(name):
        def refuse(question):
            return encode(Made(outcomes=[])) if isinstance(question, Make) else None

        return refuse

    def broken(wanted, root):
        if wanted:
            raise MemoryError
        return iter(())

    monkeypatch.setattr("bench.fleet.exports.obtain_all", broken)
    outcomes, _, _ = exports(jobs, before=before)
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Failure)] == ["out of memory"] * len(jobs)


def test_what_a_killed_driver_left_half_fetched_is_removed(exports, jobs, tmp_path):
    driver = tmp_path / "driver"
    left = driver / f".fetching-{socket.gethostname()}-99999999-abc"
    used = driver / f".fetching-{socket.gethostname()}-{os.getppid()}-abc"
    others = driver / ".fetching-another-host-99999999-abc"
    for folder in (left, used, others):
        folder.mkdir(parents=True)
    hosts = ThreadHosts({})
    with Exports(hosts, driver, threading.Event()) as found:
        found.begin(jobs)
        assert all(isinstance(found.of(job), Artifact) for job in jobs)
    assert [folder.exists() for folder in (left, used, others)] == [False, True, True]
