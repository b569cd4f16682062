import msgspec
import pytest
from msgspec.structs import replace

from devices.host.probe import probe_again
from devices.peaks import PROBED, known_peaks, read_probed
from devices.targets import find_targets
from models import UserError


def test_every_device_with_published_numbers_has_peaks_with_sources():
    for target in (find_targets(name)[0] for name in ("v100", "t4", "pixel2")):
        peaks = known_peaks()[target.device]
        assert peaks.ops[target.precision] > 0
        assert peaks.memory > 0
        assert peaks.source


@pytest.mark.parametrize("name", ["h100", "a100", "l4", "rtx4090", "jetson-orin", "pixel8", "galaxy-s24*"])
def test_every_device_that_people_own_has_peaks_in_each_precision_of_its_targets(name):
    for target in find_targets(f"{name}*"):
        peaks = known_peaks()[target.device]
        assert 0 < peaks.ops["fp32"] <= peaks.ops["fp16"] <= peaks.ops["int8"]
        assert target.precision in peaks.ops
        assert min(peaks.memory, peaks.cache, len(peaks.source)) > 0
        assert target.options.get("threads", 1) <= peaks.cores


def test_the_probe_keeps_the_best_that_was_ever_reached(tmp_path):
    first = probe_again(tmp_path)
    assert min(*first.ops.values(), first.memory) > 1e8
    assert first.measured
    (key,) = read_probed(tmp_path)
    fabulous = replace(first, memory=1e18, ops=first.ops | {"fp32": 1e18})
    (tmp_path / PROBED).write_bytes(msgspec.json.encode({key: fabulous}))
    second = probe_again(tmp_path)
    assert (second.memory, second.ops["fp32"]) == (1e18, 1e18)
    assert second.ops["int8"] >= first.ops["int8"]
    assert first.ops["int8"] > first.ops["fp32"] / 10  # an integer product has no fast path everywhere
    assert read_probed(tmp_path) == {key: second}


def test_a_damaged_probe_file_is_one_clear_error(tmp_path):
    (tmp_path / PROBED).write_text("{")
    with pytest.raises(UserError, match="remove it and probe again"):
        read_probed(tmp_path)
