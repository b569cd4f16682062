"""One writer of a file of records at a time, and the next one once it is done."""

import pytest

from bench.records.sole_writer import sole_writer
from system.errors import UserError


def test_two_never_write_one_file(tmp_path):
    with sole_writer(tmp_path / "results", "cpu"):
        with (
            pytest.raises(UserError, match=r"another process writes .*cpu.jsonl: .*cpu.lock is held"),
            sole_writer(tmp_path / "results", "cpu"),
        ):
            pass
        with sole_writer(tmp_path / "results", "gpu"):
            pass


def test_a_file_is_free_again_even_while_the_error_that_ended_its_writer_is_kept(tmp_path):
    with pytest.raises(RuntimeError) as kept, sole_writer(tmp_path, "cpu"):
        raise RuntimeError
    with sole_writer(tmp_path, "cpu"):
        pass
    assert kept.value is not None


def test_a_folder_that_can_t_be_made_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"can't write into .*Not a directory"),
        sole_writer(tmp_path / "file" / "x", "cpu"),
    ):
        pass
