import pytest

from devices.peaks import PROBED, known_peaks, read_probed
from devices.probe import probe_once
from devices.targets import find_targets
from models import UserError


def test_every_device_with_published_numbers_has_peaks_with_sources():
    for target in (find_targets(name)[0] for name in ("v100", "t4", "pixel2")):
        peaks = known_peaks()[target.device]
        assert peaks.ops[target.precision] > 0
        assert peaks.memory > 0
        assert peaks.source


def test_the_probe_measures_once_and_keeps_what_it_found(tmp_path):
    first = probe_once(tmp_path)
    assert min(*first.ops.values(), first.memory) > 1e8
    assert first.measured
    assert probe_once(tmp_path) == first
    assert list(read_probed(tmp_path).values()) == [first]


def test_a_damaged_probe_file_is_one_clear_error(tmp_path):
    (tmp_path / PROBED).write_text("{")
    with pytest.raises(UserError, match="remove it and probe again"):
        read_probed(tmp_path)
