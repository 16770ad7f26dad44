"""One file, and several that save a ring to it: one of them wins, the others are told, and nobody waits for ever."""

from __future__ import annotations

import errno
import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from envelope_keks import PRIMARY, Colour, LocalKek

from safekv.envelope import KeyRing, RingConflict, RingSettings, RingUnavailable, _one_writer, _replacing
from safekv.envelope._one_writer import one_writer
from safekv.envelope._replacing import NewFile, replacing

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # pytest-xdist has threads
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that share what is in memory")

SAVED, CONFLICT = 0, 3


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough for everybody to look at the file before the first has written it."""
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (time.sleep(0.02), fsync(fd)))


def saved(ring: Any, path: Path) -> int:
    try:
        ring.save(path)
    except RingConflict:
        return CONFLICT
    return SAVED


def in_processes(calls: list[Callable[[], int]]) -> list[int]:
    """What the calls return, each made in a process of its own, all at once."""
    waiting, go = os.pipe()
    pids = []
    for call in calls:
        if (pid := os.fork()) == 0:
            code = 1
            try:
                os.close(go)
                os.read(waiting, 1)  # nothing comes: it ends for all at once
                code = call()
            finally:
                os._exit(code)
        pids.append(pid)
    os.close(waiting)
    os.close(go)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


@contextmanager
def process(call: Callable[[], object]) -> Iterator[int]:
    """A process that has made the call and sleeps; it is killed at the end, if it still is there."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            kept = call()
            os.write(writing, b"!")
            time.sleep(60)
            del kept
        finally:
            os._exit(1)
    os.close(writing)
    try:
        assert os.read(reading, 1) == b"!"
        yield pid
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# -- of several, one wins


@forks
@pytest.mark.usefixtures("slow_disk")
def test_of_processes_that_make_a_ring_at_once_one_saves_it(colour: Colour, tmp_path: Path) -> None:
    for number in range(3):
        path = tmp_path / f"{number}.ring"
        rings = [colour.create(LocalKek()) for _ in range(4)]
        codes = in_processes([partial(saved, ring, path) for ring in rings])
        assert sorted(codes) == [SAVED, CONFLICT, CONFLICT, CONFLICT]
        assert path.read_text() == rings[codes.index(SAVED)].to_json()
    assert len(list(tmp_path.iterdir())) == 3


@forks
@pytest.mark.usefixtures("slow_disk")
def test_of_processes_that_change_a_ring_at_once_one_saves_it(colour: Colour, tmp_path: Path) -> None:
    kek, path = LocalKek(), tmp_path / "app.ring"
    colour.create(kek).save(path)
    for _ in range(3):
        rings = [colour.ring_class.load(path, *colour.keks(kek), allow=[PRIMARY]) for _ in range(3)]
        for ring in rings:
            colour.run(ring.add_key())
        codes = in_processes([partial(saved, ring, path) for ring in rings])
        assert sorted(codes) == [SAVED, CONFLICT, CONFLICT]
        assert path.read_text() == rings[codes.index(SAVED)].to_json()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("slow_disk")
@pytest.mark.parametrize("locks", [True, False], ids=["system", "no system locks"])
def test_of_threads_with_rings_of_their_own_one_saves_it(
    locks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not locks:
        monkeypatch.setattr(_one_writer, "_lock", _no_locks)
    rings = [KeyRing.create(LocalKek()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda ring: saved(ring, tmp_path / "app.ring"), rings))
    assert sorted(codes) == [SAVED, CONFLICT, CONFLICT, CONFLICT]
    assert [path.name for path in tmp_path.iterdir()] == ["app.ring"]


def _no_locks(fd: int) -> None:
    raise OSError(errno.ENOTSUP, "not on this file system")


@pytest.mark.usefixtures("slow_disk")
def test_who_overwrites_waits_for_its_turn_too(tmp_path: Path) -> None:
    """Between the look and the writing of somebody else it would be lost."""
    kek, path = LocalKek(), tmp_path / "app.ring"
    KeyRing.create(kek).save(path)
    ring, other = KeyRing.load(path, kek, allow=[PRIMARY]), KeyRing.create(kek)
    ring.add_key()
    text = other.to_json()
    overwriting = threading.Thread(target=other.save, args=[path], kwargs={"overwrite": True})
    with one_writer(path):
        overwriting.start()
        assert not _ends_within(overwriting, 0.1)
        assert path.read_text() != text
    overwriting.join()
    assert path.read_text() == text
    with pytest.raises(RingConflict):
        ring.save(path)


def _ends_within(thread: threading.Thread, seconds: float) -> bool:
    thread.join(seconds)
    return not thread.is_alive()


def test_the_lock_lets_one_in_at_a_time_though_its_file_comes_and_goes(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count(_: int) -> None:
        for _ in range(25):
            with one_writer(counter):
                counter.write_text(str(int(counter.read_text()) + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert counter.read_text() == "100"
    assert list(tmp_path.iterdir()) == [counter]


# -- a lock ends


def _entered(path: Path) -> Any:
    writer = one_writer(path)
    writer.__enter__()
    return writer


@forks
def test_a_writer_that_is_killed_locks_nobody_out(tmp_path: Path) -> None:
    path, ring = tmp_path / "app.ring", KeyRing.create(LocalKek(), settings=RingSettings(wait_timeout=0.05))
    with process(lambda: _entered(path)) as pid:
        with pytest.raises(RingUnavailable, match="nothing was written") as caught:
            ring.save(path)
        assert caught.value.transient
        assert not path.exists()
        os.kill(pid, signal.SIGKILL)
        KeyRing.create(LocalKek()).save(path)
    assert list(tmp_path.iterdir()) == [path]


@forks
def test_a_child_that_was_forked_meanwhile_does_not_hold_its_parents_lock(tmp_path: Path) -> None:
    path = tmp_path / "app.ring"
    with ThreadPoolExecutor(1) as pool:
        entered = one_writer(path)
        pool.submit(entered.__enter__).result()
        with process(lambda: None):
            pool.submit(entered.__exit__, None, None, None).result()
            with one_writer(path, 0):
                pass


def test_without_system_locks_the_error_says_what_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_one_writer, "_lock", _no_locks)
    path = tmp_path / "app.ring"
    left = tmp_path / ".app.ring.saving"
    left.touch()
    ring = KeyRing.create(LocalKek(), settings=RingSettings(wait_timeout=0.05))
    with pytest.raises(RingUnavailable, match=r"remove '.*\.app\.ring\.saving'"):
        ring.save(path)
    left.unlink()
    ring.save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_system_without_fcntl_does_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    spec = importlib.util.spec_from_file_location("one_writer_elsewhere", _one_writer.__file__)
    assert spec is not None
    assert spec.loader is not None
    elsewhere = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(elsewhere)
    path = tmp_path / "app.ring"
    with elsewhere.one_writer(path):
        assert [it.name for it in tmp_path.iterdir()] == [".app.ring.saving"]
        with pytest.raises(RingUnavailable), elsewhere.one_writer(path, 0.05):
            pass
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_the_error_names_the_ring(tmp_path: Path) -> None:
    path = tmp_path / "no" / "such" / "app.ring"
    with pytest.raises(FileNotFoundError) as caught:
        KeyRing.create(LocalKek()).save(path)
    assert caught.value.filename == str(path)


# -- and whoever does not wait for others


@pytest.mark.parametrize("way", ["as it is", "no unnamed files", "no links"])
def test_a_file_that_came_meanwhile_stays(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if way != "as it is":
        monkeypatch.setattr(_replacing, "_UNNAMED", 0)
    if way == "no links":
        monkeypatch.setattr(os, "link", lambda *a, **k: _no_locks(0))
    path = tmp_path / "app.ring"
    file = NewFile(path, replace=False)
    file.write_at(b"ours", 0)
    path.write_text("theirs")
    with pytest.raises(FileExistsError):
        file.commit()
    assert path.read_text() == "theirs"
    path.unlink()
    with replacing(path, replace=False) as file:
        file.write_at(b"ours", 0)
    assert path.read_text() == "ours"
    assert list(tmp_path.iterdir()) == [path]


def test_a_ring_that_came_meanwhile_is_a_conflict(
    colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, path = colour.create(LocalKek()), tmp_path / "app.ring"
    monkeypatch.setattr(os, "fsync", lambda fd: path.touch())
    with pytest.raises(RingConflict, match="Load that one"):
        ring.save(path)
    assert path.read_text() == ""
