from pathlib import Path

import pytest

from models import UserError
from system.files import filled_whole, write_whole


def test_a_file_is_written_with_its_folder_and_replaced(tmp_path):
    path = tmp_path / "new" / "file.txt"
    for content in (b"one", b"two"):
        write_whole(path, content, fix="")
        assert path.read_bytes() == content
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_where_the_new_content_does_not_fit(tmp_path, monkeypatch, error):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")

    def full(self, mode):
        raise error

    monkeypatch.setattr(Path, "chmod", full)
    with pytest.raises((UserError, KeyboardInterrupt)) as raised:
        write_whole(path, b"new", fix="make room")
    if isinstance(error, OSError):
        assert str(raised.value) == f"can't write {path}: No space left on device; make room"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_filled_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "engines [1]"
    (tmp_path / ".engines [1]-killed").mkdir()
    with pytest.raises(KeyboardInterrupt), filled_whole(folder) as filling:
        (filling / "one").write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with filled_whole(folder) as filling:
        (filling / "one").write_bytes(b"whole")
        assert not folder.exists()
    assert list(tmp_path.iterdir()) == [folder]
    assert (folder / "one").read_bytes() == b"whole"
    assert folder.stat().st_mode & 0o777 == 0o755
    with filled_whole(folder) as there:
        assert there == folder
