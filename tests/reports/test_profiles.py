import msgspec
import pytest
from msgspec.structs import replace

from bench.profile import Profile, _write
from devices.profilers.operators import Operator
from models import UserError
from reports.profiles import profile_files

PROFILE = Profile(
    model="<b>mine</b> $x_1$ 网",  # a letter that the font lacks is drawn without a warning
    target="cpu",
    batch=1,
    latency_s=0.010,
    profiled_s=0.011,
    operators=[
        Operator(name="a", kind="Conv", scope="one", seconds=0.006),
        Operator(name="b", kind="Relu", scope="one", seconds=0.001),
        Operator(name="c", kind="Conv", scope="two", seconds=0.002),
    ],
    blocks=["one", "one", "two"],
    note="the sum is -10.0% off the latency",
)


def test_a_profile_becomes_a_table_and_a_bar_chart(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "cpu-mine.json").write_bytes(msgspec.json.encode(PROFILE))
    files = dict(profile_files(tmp_path))
    table = files["profile-cpu-mine.md"].decode()
    assert "| Conv | 8.000 | 88.9% |" in table
    assert "| one | 7.000 | 77.8% |" in table
    assert "-10.0% off the latency" in table
    assert "&lt;b&gt;mine" in table
    assert b"88.9%" in files["profile-cpu-mine.svg"]
    assert files["profile-cpu-mine.png"].startswith(b"\x89PNG")


def test_a_profile_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "profiles" / "cpu-mine.json"
    _write(PROFILE, path)
    before = path.read_bytes()

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(UserError, match="No space left on device; give another --results"):
        _write(replace(PROFILE, note="another"), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_damaged_profile_is_one_clear_error(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "cpu-mine.json").write_text("{")
    with pytest.raises(UserError, match="remove it and profile again"):
        list(profile_files(tmp_path))
