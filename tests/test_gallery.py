"""docs/results/: what is there passes its own check, and what must not be merged doesn't."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from devices.host.conditions import Machine
from system.errors import UserError
from tools.gallery import checks
from tools.gallery.contribution import GALLERY, Contribution, contributions, facts_of, own_folder
from tools.gallery.index import index
from tools.gallery.pages import readme

ROOT = Path(__file__).parents[1]
SOUND = contributions()[0]


def test_everything_there_passes():
    command = [sys.executable, "-m", "tools.gallery", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    assert done.stderr.endswith(f"{len(contributions())} contributions, 0 problems\n")


def test_an_unknown_name_is_one_line():
    command = [sys.executable, "-m", "tools.gallery", "check", "nowhere"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no such machine in docs/results/: nowhere")


@pytest.fixture
def copy(tmp_path):
    """A sound contribution with one target's records."""
    folder = tmp_path / "a-machine"
    (folder / "records").mkdir(parents=True)
    shutil.copy(SOUND.results / "cpu.jsonl", folder / "records")
    for page in ("speed.png", "targets.png", "report.html"):
        shutil.copy(SOUND.folder / page, folder)
    written(folder)
    assert checks.problems(Contribution(folder)) == []
    return folder


def written(folder):
    (folder / "README.md").write_text(readme(Contribution(folder)), encoding="utf-8")


def with_record(folder, change):
    """The last record of the contribution changed; its page is as the records give it."""
    path = folder / "records" / "cpu.jsonl"
    lines = path.read_text().splitlines()
    record = json.loads(lines[-1])
    change(record)
    path.write_text("\n".join([*lines[:-1], json.dumps(record)]) + "\n")
    written(folder)


def set_suite(version):
    return lambda record: record["conditions"]["machine"].update(suite=version)


CHANGES = {
    "not made by a released version: 0.2.0+g1234.dirty; check out one of": set_suite("0.2.0+g1234.dirty"),
    "not made by a released version: 99.0.0+g1234; check out one of": set_suite("99.0.0+g1234"),
    "not made by a released version: None; check out one of": set_suite(None),
    "of another machine: ": lambda record: record["conditions"]["machine"].update(cpu="Abacus", usable_cores=1),
    "the target differs from the one of devices/targets.toml": lambda record: record["target"]["options"].update(
        threads=1
    ),
    "the protocol differs from the target's own, in more than a larger budget": lambda record: record[
        "protocol"
    ].update(budget_s=3.0),
    "no target of devices/targets.toml": lambda record: record["target"].update(name="abacus"),
    "the fake device measures nothing": lambda record: record["target"].update(name="fake", runtime="fake"),
    "abacus: no record of EfficientNet-B3, ": lambda record: record["target"].update(name="abacus"),
    'names a place on its owner\'s machine: "/srv/ada/b3.onnx"': lambda record: record["artifact"].update(
        path="/srv/ada/b3.onnx"
    ),
}


@pytest.mark.parametrize("problem", CHANGES)
def test_a_record_that_must_not_be_merged_is_named(copy, problem):
    with_record(copy, CHANGES[problem])
    assert problem in "\n".join(checks.problems(Contribution(copy)))


def test_a_glob_names_no_target(copy):
    with_record(copy, lambda record: record["target"].update(name="cpu*"))
    assert "no target of devices/targets.toml" in "\n".join(checks.problems(Contribution(copy)))


def test_a_larger_budget_is_no_difference(copy):
    with_record(copy, lambda record: record["protocol"].update(budget_s=3000.0))
    assert checks.problems(Contribution(copy)) == []


def test_a_phone_s_own_name_is_no_difference(copy):
    with_record(copy, lambda record: record["target"]["options"].update(serial="SERIAL"))
    assert checks.problems(Contribution(copy)) == []


def test_a_torn_line_is_named_with_its_number(copy):
    path = copy / "records" / "cpu.jsonl"
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join(lines)[:-300])
    (problem,) = checks.problems(Contribution(copy))
    assert problem.startswith(f"records/cpu.jsonl:{len(lines)}: ")


def test_files_that_belong_to_no_contribution_are_named(copy):
    (copy / "records" / "setup.py").write_text("print()")
    (copy / "profile-x.md").symlink_to("/etc/hostname")
    assert checks.problems(Contribution(copy)) == [
        "profile-x.md: no file of a contribution",
        "records/setup.py: no file of a contribution",
    ]


def test_a_page_that_says_something_else_than_the_records_is_named(copy):
    page = copy / "README.md"
    page.write_text(page.read_text(encoding="utf-8").replace("cpu, ms", "gpu, ms"), encoding="utf-8")
    (problem,) = checks.problems(Contribution(copy))
    assert problem.startswith("README.md: not what its records give")


def test_a_page_that_was_rendered_elsewhere_is_named(copy):
    page = copy / "report.html"
    page.write_bytes(page.read_bytes() + b'<a href="../../home/ada/results/cpu.jsonl">')
    assert checks.problems(Contribution(copy)) == [
        "report.html: links out of its folder; python -m tools.gallery render writes it"
    ]


def test_a_missing_page_empty_records_and_a_name_with_blanks_are_named(copy):
    (copy / "speed.png").unlink()
    assert checks.problems(Contribution(copy)) == ["speed.png: missing"]
    (copy / "records" / "cpu.jsonl").unlink()
    assert checks.problems(Contribution(copy)) == ["records/: there is no TARGET.jsonl"]
    renamed = copy.rename(copy.with_name("A machine"))
    assert "the name must be of small letters" in checks.problems(Contribution(renamed))[0]


def test_a_contribution_beyond_the_limit_of_size_is_refused(copy, monkeypatch):
    monkeypatch.setattr(checks, "_LARGEST_BYTES", 1000)
    assert re.search(r"^\d+ MB, more than 0: keep fewer", checks.problems(Contribution(copy))[0])


def test_the_index_shows_every_machine_and_brackets_what_can_t_be_used(copy):
    def one_visit(record):
        record["measurement"]["rounds"] = record["measurement"]["rounds"][:1]

    rows = re.compile(r"^\| (?:zennet|EfficientNet)\S* \| (\[?)\d", re.MULTILINE)
    path = copy / "records" / "cpu.jsonl"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "lite0" not in line))
    for change in (lambda record: None, one_visit):
        with_record(copy, change)
        counts = Contribution(copy).verdicts("cpu")
        text = index([Contribution(copy)])
        assert "| [a-machine](a-machine/README.md) |" in text
        assert len(rows.findall(text)) == 12
        assert rows.findall(text).count("[") == 12 - counts["stable"] - counts["corrected"]
    assert counts["too few samples"] or counts["contended"]


def test_what_a_system_does_not_tell_is_left_out():
    assert facts_of(Machine(cpu="M4", virtualized=False)) == [("processor", "M4"), ("virtual machine", "no")]


def test_equal_names_of_other_processors_get_folders_of_their_own(copy):
    there, gallery = Contribution(copy).machine, copy.parent
    copy.rename(gallery / "amd-epyc-2-cores")
    assert own_folder(there, gallery, None).name == "amd-epyc-2-cores"
    assert own_folder(there, gallery, "mine").name == "mine"
    newer = msgspec.structs.replace(there, cpu_id="AuthenticAMD family 26 model 2")
    assert own_folder(newer, gallery, None).name == "amd-epyc-authenticamd-family-26-model-2-2-cores"
    with pytest.raises(UserError, match="docs/results/amd-epyc-2-cores has results of another machine: AMD EPYC, "):
        own_folder(newer, gallery, "amd-epyc-2-cores")


def test_every_pull_request_is_checked():
    assert GALLERY.is_dir()
    assert "python -m tools.gallery check" in (GALLERY / "README.md").read_text(encoding="utf-8")
