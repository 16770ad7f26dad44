"""The files that an emulator writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from safekv.emulator._state import replaced_atomically


def test_a_directory_that_is_not_there_is_an_error_about_the_file_that_was_wanted(tmp_path: Path) -> None:
    wanted = tmp_path / "absent" / "contents.json"
    with pytest.raises(FileNotFoundError) as error, replaced_atomically(wanted):
        pass
    assert error.value.filename == str(wanted)
