"""Files that are replaced whole: ``safekv._files``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safekv._files import mode_of, replaced


@pytest.mark.skipif(os.name == "nt", reason="modes and links are POSIX's")
def test_a_file_is_replaced_as_a_whole_through_a_link_and_keeps_its_permissions(tmp_path: Path) -> None:
    target, link = tmp_path / "main.json", tmp_path / "link.json"
    target.write_text("before")
    target.chmod(0o640)
    link.symlink_to(target)
    with replaced(link, mode=mode_of(link)) as file:
        file.write(b"after\r\n")
        assert target.read_bytes() == b"before"
    assert target.read_bytes() == b"after\r\n"
    assert target.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_a_new_file_is_private_unless_it_is_to_be_like_any_other(tmp_path: Path) -> None:
    mine, any_other = tmp_path / "mine", tmp_path / "other"
    with replaced(mine, fsync=False):
        pass
    with replaced(any_other, mode=mode_of(any_other)):
        pass
    mask = os.umask(0o022)
    os.umask(mask)
    assert mine.stat().st_mode & 0o777 == 0o600
    assert any_other.stat().st_mode & 0o777 == 0o666 & ~mask


def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("before")
    with pytest.raises(ZeroDivisionError), replaced(kept) as file:
        file.write(b"%d" % (1 // 0))
    with pytest.raises(OSError), replaced(tmp_path):
        pass
    assert os.listdir(tmp_path) == ["kept"]
    assert kept.read_text() == "before"


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, replaced(tmp_path / "no" / "file"):
        pass
    assert caught.value.filename == str(tmp_path / "no" / "file")
