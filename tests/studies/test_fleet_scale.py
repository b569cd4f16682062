"""The fleet of made-up devices whose figures stand in docs/fleet_scale.md, at a size of a test."""

import subprocess
import sys
from collections import Counter

import msgspec
import pytest

from bench.records.store import read_records
from studies.fleet_scale import instructions
from studies.fleet_scale.calls import calls_a_visit
from studies.fleet_scale.figures import Figures
from studies.fleet_scale.page import draw, read, table
from studies.fleet_scale.trial import models, trial
from system.errors import UserError
from tests.programs import write_program

DEVICES, NETWORKS, VISITS = 5, 4, 2


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("fleet")


@pytest.fixture(scope="module")
def figures(work):
    return trial(DEVICES, NETWORKS, VISITS, work)


def test_every_network_has_one_record_of_every_device_with_all_its_visits(figures, work):
    files = sorted((work / "results").glob("*.jsonl"))
    assert [file.stem for file in files] == [f"fake-{number:04}" for number in range(DEVICES)]
    for file in files:
        records = read_records(file)
        assert {record.target.name for record in records} == {file.stem}
        assert Counter(record.model.name for record in records) == Counter(model.name for model in models(NETWORKS))
        assert [len(record.measurement.visits) for record in records] == [VISITS] * NETWORKS
    assert not list((work / "results").glob("*.journal"))


def test_the_figures_are_of_what_was_done(figures):
    assert (figures.devices, figures.networks, figures.records) == (DEVICES, NETWORKS, DEVICES * NETWORKS)
    assert figures.visits == DEVICES * NETWORKS * VISITS
    assert figures.twice == 0
    # A line for the start of each sweep, and for each network one that it was loaded, its visits and its record.
    assert figures.lines == DEVICES * (1 + NETWORKS * (1 + VISITS + 1))
    assert figures.threads > DEVICES


def test_the_drivers_work_the_hosts_and_the_memory_are_told(figures):
    assert figures.work_s == figures.driver_cpu_s / figures.visits > 0
    assert figures.hosts_cpu_s > 0
    assert figures.peak_bytes >= figures.before_bytes > 0


def test_a_table_and_a_plot_are_made_of_several_sizes(figures, tmp_path):
    larger = msgspec.structs.replace(figures, devices=10, visits=400, driver_cpu_s=0.5)
    slower = msgspec.structs.replace(larger, driver_cpu_s=1.5)
    data = tmp_path / "figures.jsonl"
    longer = msgspec.structs.replace(figures, visits_each=6, visits=1200)
    trials = [longer, larger, figures, slower]
    data.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in trials))
    found = read(data)
    assert found == trials
    rows = table(found).splitlines()[2:]
    assert [row.split(" | ")[:3] for row in rows] == [["| 5", "2", "1"], ["| 10", "2", "2"], ["| 5", "6", "1"]]
    assert "2.50 (1.25 to 3.75)" in rows[1]
    draw(found, tmp_path / "plot.svg")
    drawn = (tmp_path / "plot.svg").read_text()
    assert all(text in drawn for text in ("CPU time a visit, ms", "2 visits of each", "6 visits of each"))


def test_more_networks_than_there_are_is_an_error():
    assert len({model.name for model in models(200)}) == 200
    with pytest.raises(ValueError, match="100000 networks, at most"):
        models(100_000)


def test_more_sweeps_than_files_may_be_open_at_first_raise_that_limit(tmp_path):
    few_files = ["sh", "-c", 'ulimit -S -n 40 && exec "$@"', "sh"]
    command = [*few_files, sys.executable, "-m", "studies.fleet_scale.trial", "60", "1", "1", str(tmp_path)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    assert msgspec.json.decode(said.stdout, type=Figures).records == 60


def test_the_drivers_work_a_visit_does_not_grow_with_the_devices(tmp_path):
    few, many = (calls_a_visit(devices, 10, 2, tmp_path / str(devices)) for devices in (5, 40))
    assert 0 < many <= few * 1.02


VALGRIND = """
import sys
devices, networks, visits, _ = sys.argv[sys.argv.index("studies.fleet_scale.trial") + 1:]
assert "--tool=callgrind" in sys.argv
if int(devices) > 50:
    sys.exit("==1== Killed")
print("==1== Collected : %d" % (7_000_000 + int(devices) * int(networks) * int(visits) * 1_500_000), file=sys.stderr)
"""


def counted(tmp_path, monkeypatch, *devices):
    """Two networks, three visits each, counted by a stand-in for valgrind that knows what a trial would take."""
    write_program(tmp_path / "valgrind", VALGRIND)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["instructions", "--devices", *devices, "--networks", "2", "--visits", "3"])
    return instructions.main()


def test_instructions_a_visit_are_those_of_the_further_devices(tmp_path, monkeypatch, capsys):
    assert counted(tmp_path, monkeypatch, "40", "1", "5") == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["| 1 | |", "| 5 | 1.50 |", "| 40 | 1.50 |"]


def test_instructions_of_a_trial_that_ends_in_an_error_are_none(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"a fleet of 60 wasn't counted.*Killed"):
        counted(tmp_path, monkeypatch, "1", "60")


def test_instructions_need_valgrind(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="no valgrind; install valgrind"):
        instructions.instructions(1, 1, 1, tmp_path)
