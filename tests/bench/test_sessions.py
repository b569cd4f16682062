"""How many sessions are open at once on a device that has a memory of its own, and which one is closed first."""

import dataclasses
import multiprocessing

import msgspec
import pytest

from bench import room as rooms
from bench.duet.duet import play
from bench.protocol import Protocol
from bench.records.network_run import NetworkRun, network_of
from bench.room import Load, Room
from bench.sessions import Sessions
from bench.sweep import sweep
from devices.runtimes import fake
from devices.targets import find_targets
from devices.worker import SessionLost, open_session
from exporters.cache import Cache
from models import find

GB = 1_000_000_000
SMALL = "zennet:SuperConvK3BNRELU(3,8,2,1)@{}"


@pytest.fixture
def opened(monkeypatch):
    """How many sessions were open after each opening."""
    counts, live = [], [0]
    open_one, close_one = fake.FakeSession.__init__, fake.FakeSession.close

    def opening(self, *arguments):
        open_one(self, *arguments)
        live[0] += 1
        counts.append(live[0])

    def closing(self):
        live[0] -= 1
        close_one(self)

    monkeypatch.setattr(fake.FakeSession, "__init__", opening)
    monkeypatch.setattr(fake.FakeSession, "close", closing)
    yield counts
    assert live == [0]


def on_a_device(memory_gb, session_gb=None, seconds=0.01):
    """The options of a fake device with so much memory."""
    takes = {glob: round(each * GB) for glob, each in (session_gb or {"*": 1.0}).items()}
    return {
        "seconds": {"*": seconds},
        "memory_bytes": round(memory_gb * GB),
        "session_bytes": takes,
        "load_s": {"*": 6},
    }


# The next one is opened where twice what it takes is free: so much it may take while it chooses its kernels.
@pytest.mark.parametrize(("memory_gb", "most"), [(1, 1), (2.9, 1), (3, 2), (5, 4), (6, 5), (80, 5)])
def test_as_many_sessions_stay_open_as_the_devices_memory_holds(order, opened, memory_gb, most):
    records = sweep(order("*latency0*", options=on_a_device(memory_gb), min_visits=4))
    assert max(opened) == most
    assert all(record.verdict.word == "stable" for record in records)
    assert (len(opened) == len(records)) == (most == len(records))  # each is opened once where all fit


def test_none_is_loaded_that_is_closed_before_it_was_visited(order, opened):
    networks, most, passes = 5, 3, 4
    sweep(order("*latency0*", options=on_a_device(4), min_visits=passes, max_visits=passes))
    assert max(opened) == most
    assert len(opened) == most + passes * (networks - most)


def test_loading_is_no_sampling_and_is_said(order, capsys):
    records = sweep(order("*latency0*", options=on_a_device(1), budget_s=8.0))
    assert all(len(record.measurement.visits) >= 4 for record in records)
    said = capsys.readouterr().err
    opened_at_least_times = 4 * len(records)
    assert int(said.rpartition("warming up took ")[2].split()[0]) > 6 * opened_at_least_times


def test_one_that_takes_more_than_expected_closes_the_others_and_one_that_never_fits_says_so(order, opened):
    options = on_a_device(6.5, {"*t-B3": 1, "*t-B5": 6, "*t-B6": 7})
    fits, large, too_large = sweep(order("*t-B3", "*t-B5", "*t-B6", options=options))
    assert fits.verdict.word == large.verdict.word == "stable"
    assert too_large.measurement is None
    assert "the fake device is full" in too_large.reason
    assert max(opened) == 1


@pytest.fixture
def sessions(artifacts):
    """Sessions of a fake device that holds two of 1 GB, and a run of a network of so many pixels."""
    (target,) = find_targets("fake")
    target = msgspec.structs.replace(target, options=on_a_device(3))
    cache = Cache(artifacts)
    found = Sessions(target, Protocol(), lambda entry: None)

    def run(px: int) -> NetworkRun:
        (model,) = find(SMALL.format(px))
        return NetworkRun(network_of(model), artifact=cache.obtain(target.job(model)))

    yield found, run
    found.close_all()


def test_what_is_open_is_visited_first_and_what_was_used_least_recently_is_closed(sessions):
    loaded, run = sessions
    first, second, third = (run(px) for px in (32, 31, 30))
    loaded.of(first)
    kept = loaded.of(second)
    assert loaded.open_first([third, second, first]) == [second, first, third]
    loaded.of(first)
    assert loaded.of(second) is kept
    loaded.of(third)
    assert loaded.of(second) is kept
    assert loaded.open_first([first, second, third]) == [second, third, first]


def test_a_file_that_was_never_opened_is_expected_to_take_as_much_for_its_pixels(sessions):
    _, run = sessions
    (target,) = find_targets("fake")
    target = msgspec.structs.replace(target, options=on_a_device(12))
    room, small, large = Room(), run(16).artifact, run(32).artifact
    assert room.fits(Load(target, large))
    with room.learning(Load(target, small)):
        session = fake.open_session(small, target)  # 11 GB are left; the other one is expected to take 4
    assert room.fits(Load(target, large))
    assert not room.fits(Load(target, large), Load(target, large))
    with room.learning(Load(target, large)):
        other = fake.open_session(large, target)
    assert room.fits(Load(target, large), Load(target, large))  # now it is known to take 1
    session.close()
    other.close()


def test_a_device_without_memory_of_its_own_holds_what_this_machine_does(sessions, monkeypatch):
    _, run = sessions
    (target,) = find_targets("fake")
    load = Load(target, run(32).artifact)
    assert Room().fits(load)
    monkeypatch.setattr(rooms, "available_bytes", lambda: GB)
    assert not Room().fits(load)


@pytest.fixture
def on_the_cpu(artifacts, monkeypatch):
    """Sessions of this machine's processor, the small networks' runs, and which files were opened, in what order."""
    (target,) = find_targets("cpu")
    cache, opened = Cache(artifacts), []

    def opening(artifact, *arguments, **options):
        opened.append(artifact.sha256)
        return open_session(artifact, *arguments, **options)

    monkeypatch.setattr("bench.sessions.open_session", opening)
    runs = []
    for px in (32, 31):
        (model,) = find(SMALL.format(px))
        runs.append(NetworkRun(network_of(model), artifact=cache.obtain(target.job(model))))
    warm = []
    found = Sessions(target, Protocol(warmup_s=0), warm.append)
    yield found, runs, opened, warm
    found.close_all()


def test_sessions_of_this_processor_are_opened_at_once_and_warmed_up_when_they_are_asked_for(on_the_cpu):
    loaded, (first, second), opened, warm = on_the_cpu
    loaded.open_ahead([first, second])
    assert (len(opened), warm, loaded.open_first([second, first])) == (2, [], [second, first])
    assert loaded.loading_s > 0
    loaded.of(second)
    session = loaded.of(first)
    assert [each.network.name for each in warm] == [second.name, first.name]
    loaded.open_ahead([first, second])
    assert loaded.of(first) is session
    assert len(opened) == 2


def test_one_that_cannot_be_opened_ahead_costs_itself_alone_and_is_tried_once(on_the_cpu):
    loaded, (first, second), opened, warm = on_the_cpu
    second.artifact = msgspec.structs.replace(second.artifact, path=second.artifact.path + ".gone")
    loaded.open_ahead([first, second])
    with pytest.raises(SessionLost, match="gone"):
        loaded.of(second)
    loaded.of(first)
    assert (len(opened), len(warm)) == (2, 1)


def test_what_was_opened_ahead_and_never_asked_for_is_closed(on_the_cpu):
    loaded, (first, second), *_ = on_the_cpu
    loaded.open_ahead([first, second])
    workers = [process for process in multiprocessing.active_children() if process.daemon]
    assert len(workers) >= 2
    loaded.close(first)
    loaded.close_all()
    assert not set(workers) & set(multiprocessing.active_children())


def test_nothing_is_opened_ahead_where_there_is_no_room_for_all(on_the_cpu, monkeypatch):
    loaded, runs, opened, _ = on_the_cpu
    monkeypatch.setattr(rooms, "available_bytes", lambda: GB)
    loaded.open_ahead(runs)
    assert opened == []
    loaded.of(runs[0])
    assert len(opened) == 1


@pytest.mark.parametrize(("memory_gb", "most"), [(2, 2), (5, 4), (9, 8)])
def test_a_duet_holds_both_sides_of_as_many_networks_as_fit(request_for, opened, memory_gb, most):
    request = request_for("*latency0*", old={"*": 0.1}, new={"*": 0.1}, budget_s=0.01)
    old, new = (msgspec.structs.replace(request.old, options=on_a_device(memory_gb, seconds=0.1)) for _ in "12")
    duets = play(dataclasses.replace(request, old=old, new=new))
    assert max(opened) == most
    assert all(len(duet.turns) == 12 for duet in duets)


def test_a_duet_whose_network_takes_more_than_expected_waits_for_the_next_group(request_for, opened):
    request = request_for("*t-B3", "*t-B5", old={"*": 0.1}, new={"*": 0.1}, budget_s=0.01)
    options = on_a_device(10, {"*t-B3": 1, "*t-B5": 4.5}, seconds=0.1)
    old, new = (msgspec.structs.replace(each, options=options) for each in (request.old, request.new))
    duets = play(dataclasses.replace(request, old=old, new=new))
    assert [duet.lost for duet in duets] == [None, None]
