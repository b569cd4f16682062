"""A machine's epoch: what must stay the same for numbers to be of one series, and the condition that they refer to."""

import msgspec
import pytest

from bench.protocol import Protocol
from bench.records.epoch import FILE, Epoch, Frozen, epoch_of, freeze, frozen, tell_change
from bench.records.ledger import Ledger
from devices.host.conditions import Machine
from exporters.artifact import Artifact
from models import UserError
from tests.bench.made_up import ThisHost
from tests.bench.records.simulated import CPU, WORKLOADS

MACHINE = Machine(
    cpu="One Processor",
    usable_cores=2,
    kernel="6.1",
    memory_bytes=8,
    versions={"onnxruntime": "1.20", "numpy": "2.0"},
)
REFERENCE_S = {"compute": 0.008, "core_to_core": 0.006}


def a_workload(sha256: str) -> Artifact:
    return msgspec.structs.replace(WORKLOADS["compute"], sha256=sha256)


def keep(folder, epoch, reference_s, sweep):
    freeze(folder, epoch, Frozen.now(epoch, reference_s, sweep))


def an_epoch(machine=MACHINE, threads: object = 2, sha256: str = "a" * 64) -> Epoch:
    target = msgspec.structs.replace(CPU, options=CPU.options | {"threads": threads})
    return epoch_of(machine, target, {"compute": a_workload(sha256)})


def test_the_same_machine_is_the_same_epoch():
    assert an_epoch() == an_epoch()
    assert an_epoch(msgspec.structs.replace(MACHINE, memory_bytes=9)) == an_epoch()
    assert an_epoch(msgspec.structs.replace(MACHINE, versions={"onnxruntime": "1.20", "numpy": "2.1"})) == an_epoch()


def test_every_target_of_the_same_threads_shares_it():
    int8 = msgspec.structs.replace(CPU, name="another", precision="int8")
    assert epoch_of(MACHINE, CPU, {}) == epoch_of(MACHINE, int8, {})


def with_versions(**versions: str) -> Machine:
    return msgspec.structs.replace(MACHINE, versions=versions)


CHANGES = [
    (an_epoch(msgspec.structs.replace(MACHINE, cpu="Another")), "cpu: One Processor before, Another now"),
    (an_epoch(msgspec.structs.replace(MACHINE, usable_cores=4)), "usable_cores: 2 before, 4 now"),
    (an_epoch(msgspec.structs.replace(MACHINE, kernel="6.2")), "kernel: 6.1 before, 6.2 now"),
    (
        an_epoch(msgspec.structs.replace(MACHINE, versions={"onnxruntime": "1.21"})),
        "onnxruntime: 1.20 before, 1.21 now",
    ),
    (
        an_epoch(msgspec.structs.replace(MACHINE, versions={"onnxruntime": "1.20", "torch": "2.9"})),
        "torch: None before, 2.9 now",
    ),
    (an_epoch(sha256="b" * 64), "compute workload: aaaaaaaaaaaa before, bbbbbbbbbbbb now"),
]


@pytest.mark.parametrize(("changed", "note"), CHANGES)
def test_a_changed_machine_is_another_one_and_says_so_once(tmp_path, capsys, changed, note):
    assert changed.name != an_epoch().name
    keep(tmp_path, an_epoch(), REFERENCE_S, "first")
    assert frozen(tmp_path, changed) is None
    tell_change(tmp_path, changed)
    assert capsys.readouterr().err == f"note: this machine changed ({note}); its numbers begin a new series\n"


def test_other_threads_are_another_epoch_but_no_changed_machine(tmp_path, capsys):
    assert an_epoch(threads=1).name != an_epoch(threads=2).name
    keep(tmp_path, an_epoch(threads=2), REFERENCE_S, "first")
    assert frozen(tmp_path, an_epoch(threads=1)) is None
    tell_change(tmp_path, an_epoch(threads=1))
    assert capsys.readouterr().err == ""


def test_a_target_without_workloads_has_no_condition_and_tells_no_change(tmp_path, capsys):
    """A GPU or a phone beside a CPU whose target names no threads."""
    plain = msgspec.structs.replace(CPU, options={})
    keep(tmp_path, epoch_of(MACHINE, plain, {"compute": a_workload("a" * 64)}), REFERENCE_S, "first")
    Ledger(tmp_path, "other", ThisHost()).begin(plain, Protocol())
    assert capsys.readouterr().err == ""


def test_the_condition_is_kept_and_never_changes(tmp_path, capsys):
    assert frozen(tmp_path, an_epoch()) is None
    keep(tmp_path, an_epoch(), REFERENCE_S, "first")
    content = (tmp_path / FILE).read_bytes()
    keep(tmp_path, an_epoch(), {"compute": 0.001, "core_to_core": 0.001}, "second")
    assert (tmp_path / FILE).read_bytes() == content
    found = frozen(tmp_path, an_epoch())
    assert (found.reference_s, found.sweep, found.facts) == (REFERENCE_S, "first", an_epoch().facts)
    assert capsys.readouterr().err == ""


def test_a_new_epoch_keeps_the_old_one(tmp_path):
    keep(tmp_path, an_epoch(), REFERENCE_S, "first")
    newer, _ = CHANGES[2]
    keep(tmp_path, newer, {"compute": 0.007, "core_to_core": 0.005}, "second")
    assert frozen(tmp_path, an_epoch()).sweep == "first"
    assert frozen(tmp_path, newer).sweep == "second"


def test_what_changed_is_said_of_the_newest(tmp_path, capsys):
    newer, newest = CHANGES[2][0], CHANGES[0][0]
    known = {
        epoch.name: {"facts": epoch.facts, "reference_s": REFERENCE_S, "sweep": "s", "since": since}
        for epoch, since in ((newer, "2026-02-01T00:00:00Z"), (an_epoch(), "2026-01-01T00:00:00Z"))
    }
    (tmp_path / FILE).write_bytes(msgspec.json.encode(known))
    assert frozen(tmp_path, newest) is None
    tell_change(tmp_path, newest)
    err = capsys.readouterr().err
    assert "kernel: 6.2 before, 6.1 now" in err
    assert err.count("\n") == 1


NO_TIME = b'{"a":{"facts":{},"reference_s":{"compute":0.0},"sweep":"s","since":"s"}}'


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":{"facts":{}}}', NO_TIME])
def test_a_damaged_file_is_one_error_that_names_it(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    for use in (
        lambda: frozen(tmp_path, an_epoch()),
        lambda: tell_change(tmp_path, an_epoch()),
        lambda: keep(tmp_path, an_epoch(), REFERENCE_S, "first"),
    ):
        with pytest.raises(UserError, match=f"can't read .*{FILE}.*remove it; a new series begins") as caught:
            use()
        assert "\n" not in str(caught.value)
    assert (tmp_path / FILE).read_bytes() == content
