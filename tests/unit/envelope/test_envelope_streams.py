"""Streams and files: any size, any way of writing and reading, and nothing that was tampered with."""

from __future__ import annotations

import io
import os
import pickle
import random
import signal
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from envelope_keks import LocalKek
from hypothesis import given, settings
from hypothesis import strategies as st

from safekv.envelope import (
    DecryptionFailed,
    Encryptor,
    KeyRing,
    NotEncrypted,
    SourceChanged,
    Truncated,
    UnknownKey,
    _files,
    _segments,
)
from safekv.envelope._segments import Layout
from safekv.errors import InvalidArgument

KIB64 = 1 << 16
MIB = 1 << 20
FIRST, OTHER = KIB64 - 56, KIB64 - 16
START = 44 + 40
#: Lengths around every place where something changes, with 64 KiB segments.
EDGES = sorted({0, 1, *(FIRST + n * OTHER + d for n in range(3) for d in (-1, 0, 1))})
NOISE = random.Random(7).randbytes(4 * KIB64)
BOX = Encryptor(KeyRing.create(LocalKek()))


def sealed(content: bytes, aad: bytes = b"aad", **options: Any) -> bytes:
    sink = io.BytesIO()
    assert BOX.encrypt_stream(io.BytesIO(content), sink, aad, **{"segment_size": KIB64, **options}) == len(content)
    return sink.getvalue()


def opened(data: bytes, aad: bytes = b"aad", **options: Any) -> bytes:
    sink = io.BytesIO()
    assert BOX.decrypt_stream(io.BytesIO(data), sink, aad, **options) == len(sink.getvalue())
    return sink.getvalue()


def with_stream(data: bytes, tmp_path: Path) -> bytes:
    return opened(data)


def with_file(data: bytes, tmp_path: Path) -> bytes:
    source, target = tmp_path / "sealed", tmp_path / "content"
    source.write_bytes(data)
    try:
        assert BOX.decrypt_file(source, target, b"aad", threads=2) == target.stat().st_size
    except DecryptionFailed as error:
        if error.file != str(source) or list(tmp_path.iterdir()) != [source]:
            pytest.fail(f"{error} does not name the file, or something was left of it")
        raise
    return target.read_bytes()


def with_open(data: bytes, tmp_path: Path) -> bytes:
    source = tmp_path / "sealed"
    source.write_bytes(data)
    with BOX.open(source, "rb", b"aad") as file:
        return file.read()


READERS = [with_stream, with_file, with_open]
Reader = Callable[[bytes, Path], bytes]


@pytest.fixture(params=READERS, ids=lambda reader: reader.__name__)
def reader(request: pytest.FixtureRequest) -> Reader:
    return request.param


def write_stream(content: bytes, path: Path) -> None:
    path.write_bytes(sealed(content))


def write_file(content: bytes, path: Path) -> None:
    plain = path.with_suffix(".plain")
    plain.write_bytes(content)
    assert BOX.encrypt_file(plain, path, b"aad", segment_size=KIB64, threads=3) == len(content)
    plain.unlink()


def write_object(content: bytes, path: Path) -> None:
    with BOX.open(path, "wb", b"aad", segment_size=KIB64) as file:
        assert file.write(content) == len(content)
        assert file.tell() == len(content)


@pytest.mark.parametrize("write", [write_stream, write_file, write_object])
@pytest.mark.parametrize("length", EDGES)
def test_every_writer_is_understood_by_every_reader(
    write: Callable[[bytes, Path], None], reader: Reader, length: int, tmp_path: Path
) -> None:
    path = tmp_path / "written"
    write(NOISE[:length], path)
    data = path.read_bytes()
    path.unlink()
    assert len(data) == START + length + 16 * Layout(KIB64).count(length)
    assert reader(data, tmp_path) == NOISE[:length]


@pytest.mark.parametrize("length", [MIB - 57, MIB - 56, MIB - 55, 2 * MIB - 72, 2 * MIB - 71, 9 * MIB])
def test_segments_of_a_mebibyte(length: int, tmp_path: Path) -> None:
    plain, target, back = tmp_path / "plain", tmp_path / "sealed", tmp_path / "back"
    plain.write_bytes(content := (NOISE * 40)[:length])
    seen: list[tuple[int, int]] = []
    BOX.encrypt_file(plain, target, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (length, length)
    assert BOX.decrypt_file(target, back) == length
    assert back.read_bytes() == content
    assert opened(target.read_bytes(), b"") == content


@settings(max_examples=25)
@given(lengths=st.lists(st.integers(0, KIB64 + 100), max_size=6), raw=st.booleans())
def test_any_split_of_writes(lengths: list[int], raw: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    path, place = tmp_path_factory.getbasetemp() / "split", 0
    with BOX.open(path, "wb", b"aad", segment_size=KIB64, raw=raw) as file:
        for length in lengths:
            place += file.write(NOISE[place : place + length])
    assert opened(path.read_bytes(), raw=raw, segment_size=KIB64) == NOISE[:place]


@settings(max_examples=25)
@given(length=st.integers(0, 3 * KIB64), sizes=st.lists(st.integers(1, KIB64), min_size=1, max_size=4))
def test_pipes_that_give_what_they_like(length: int, sizes: list[int]) -> None:
    class Pipe:
        def __init__(self, data: bytes) -> None:
            self._data, self._turn = io.BytesIO(data), 0

        def read(self, count: int) -> bytes:
            self._turn += 1
            return self._data.read(min(count, sizes[self._turn % len(sizes)]))

    class Sink:
        def __init__(self) -> None:
            self.data = bytearray()

        def write(self, data: memoryview) -> int:
            self.data += data[: sizes[0] + 1]
            return min(len(data), sizes[0] + 1)

    middle, end = Sink(), Sink()
    BOX.encrypt_stream(Pipe(NOISE[:length]), middle, segment_size=KIB64)
    BOX.decrypt_stream(Pipe(bytes(middle.data)), end)
    assert bytes(end.data) == NOISE[:length]


@settings(max_examples=40)
@given(places=st.lists(st.tuples(st.integers(0, 3 * KIB64), st.integers(0, KIB64)), max_size=8))
def test_reading_anywhere(places: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "anywhere"
    content = NOISE[: 2 * KIB64 + 500]
    path.write_bytes(sealed(content))
    with BOX.open(path, "rb", b"aad") as file:
        for place, count in places:
            assert file.seek(place) == place
            assert file.read(count) == content[place : place + count]
            assert file.tell() == max(place, min(place + count, len(content)))
        assert file.seek(-10, io.SEEK_END) == len(content) - 10
        assert file.read() == content[-10:]


def test_a_reader_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with BOX.open(path, "wb") as file:
        file.writelines([b"one\n", b"two\n"])
        file.flush()
    with BOX.open(path, "rb") as file:
        assert list(file) == [b"one\n", b"two\n"]
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()
        with pytest.raises(ValueError, match="before"):
            file.seek(-1)
        with pytest.raises(TypeError):
            pickle.dumps(file)
    with io.TextIOWrapper(BOX.open(path, "rb")) as text:
        assert text.read() == "one\ntwo\n"


def test_every_changed_byte_is_refused(reader: Reader, tmp_path: Path) -> None:
    """Of the preamble, the header, the content and the tags, and every length in between."""
    data = sealed(b"some content")
    for place in range(len(data)):
        for change in (1, 0x80):
            changed = bytearray(data)
            changed[place] ^= change
            with pytest.raises(DecryptionFailed):
                reader(bytes(changed), tmp_path)
    for length in range(len(data)):
        with pytest.raises(DecryptionFailed):
            reader(data[:length], tmp_path)
    with pytest.raises(DecryptionFailed):
        reader(data + b"\0", tmp_path)


def test_every_changed_byte_of_a_ring_that_is_along_is_refused(tmp_path: Path) -> None:
    data = sealed(b"some content", embed_ring=True)
    ring = BOX._ring.wrapped().encode()
    assert data[44 : 44 + len(ring)] == ring
    assert opened(data) == b"some content"
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 2
        with pytest.raises(DecryptionFailed):
            opened(bytes(changed))


def parts(data: bytes) -> tuple[bytes, list[bytes]]:
    """What stands before the first segment, and the segments."""
    body = data[44:]
    segments = [body[start : start + KIB64] for start in range(0, len(body), KIB64)]
    return data[:START], [segments[0][40:], *segments[1:]]


def tampered() -> dict[str, bytes]:
    three, other = sealed(NOISE[: 3 * KIB64 - 200]), sealed(NOISE[200 : 3 * KIB64])
    start, (one, two, last) = parts(three)
    other_start, (_, other_two, other_last) = parts(other)
    return {
        "cut at a segment": start + one + two,
        "cut at the first segment": start + one,
        "cut within a segment": start + one + two[:5000],
        "cut within a tag": start + one + two + last[:10],
        "no segment": start,
        "two segments exchanged": start + two[: len(one)] + one + two[len(one) :] + last,
        "second and last exchanged": start + one + last + two,
        "a segment twice": start + one + two + two + last,
        "a segment left out": start + one + last,
        "another stream's segment": start + one + other_two + last,
        "another stream's end": start + one + two + other_last,
        "another stream's start": other_start + one + two + last,
        "something after the end": three + b"x" * 100,
        "two streams": three + other,
        "nothing after the end but zeros": three + bytes(KIB64),
        "raw": three[44:],
        "the raw one after another preamble": other[:44] + bytes([40]) + bytes(39) + one,
        "empty": b"",
    }


@pytest.mark.parametrize("name", list(tampered()))
def test_splicing(name: str, reader: Reader, tmp_path: Path) -> None:
    data = tampered()[name]
    with pytest.raises(DecryptionFailed) as caught:
        reader(data, tmp_path)
    if name in ("cut at a segment", "cut at the first segment"):
        assert isinstance(caught.value, Truncated)
    assert NOISE[:8] not in str(caught.value).encode("latin-1", "replace")


def test_only_whole_genuine_segments_are_given_out() -> None:
    start, (one, two, last) = parts(sealed(NOISE[: 3 * KIB64 - 200]))
    sink = io.BytesIO()
    with pytest.raises(DecryptionFailed, match="segment 2") as caught:
        BOX.decrypt_stream(io.BytesIO(start + one + two + last[:-1]), sink, b"aad")
    assert sink.getvalue() == NOISE[: FIRST + OTHER]
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.segment, error.key_id) == (2, BOX._ring.opened().stream_key.kid)


def test_the_end_is_proved_before_anything_is_read(tmp_path: Path) -> None:
    start, (one, two, _) = parts(sealed(NOISE[: 3 * KIB64 - 200]))
    path = tmp_path / "cut"
    path.write_bytes(start + one + two)
    with pytest.raises(Truncated, match="cut"):
        BOX.open(path, "rb", b"aad")


@pytest.mark.parametrize(
    "wrong", [b"", b"AAD", b"aad ", sealed(b"")[:44] + b"aad"], ids=["none", "case", "space", "preamble"]
)
def test_another_aad(wrong: bytes, tmp_path: Path) -> None:
    data = sealed(b"content")
    with pytest.raises(DecryptionFailed, match="aad"):
        opened(data, wrong)
    with pytest.raises(DecryptionFailed):
        opened(sealed(b"content", raw=True), wrong, raw=True, segment_size=KIB64)


def test_another_ring(tmp_path: Path) -> None:
    other = Encryptor(KeyRing.create(LocalKek()))
    data, sink = sealed(b"content"), io.BytesIO()
    with pytest.raises(UnknownKey) as caught:
        other.decrypt_stream(io.BytesIO(data), sink, b"aad")
    assert caught.value.key_id == BOX._ring.opened().stream_key.kid
    with pytest.raises(DecryptionFailed, match="key or segment size"):
        other.decrypt_stream(io.BytesIO(sealed(b"content", raw=True)), sink, b"aad", raw=True, segment_size=KIB64)
    assert sink.getvalue() == b""


@pytest.mark.parametrize("length", [0, 100, FIRST, FIRST + 1])
def test_raw_streams_are_tried_with_every_key(length: int, tmp_path: Path) -> None:
    ring = KeyRing.create(LocalKek())
    box, path, back = Encryptor(ring), tmp_path / "raw", tmp_path / "back"
    with box.open(path, "wb", raw=True, segment_size=KIB64) as file:
        file.write(NOISE[:length])
    assert path.read_bytes()[0] == 40
    ring.add_key()
    ring.to_json()
    with box.open(path, "rb", raw=True, segment_size=KIB64) as reading:
        assert reading.read() == NOISE[:length]
    box.decrypt_file(path, back, raw=True, segment_size=KIB64, threads=2)
    assert back.read_bytes() == NOISE[:length]
    if length > FIRST:
        with pytest.raises(DecryptionFailed, match="segment size"):
            box.decrypt_file(path, back, raw=True)
    with pytest.raises(NotEncrypted, match="raw=True"):
        box.decrypt_file(path, back)


def test_a_rotated_ring_reads_old_files_and_names_shredded_keys(tmp_path: Path) -> None:
    ring = KeyRing.create(LocalKek())
    box, path = Encryptor(ring), tmp_path / "old"
    with box.open(path, "wb") as file:
        file.write(b"content")
    stream = ring.list_keys()[1].key_id
    ring.retire(stream)
    ring.to_json()
    with box.open(path, "rb") as reading:
        assert reading.read() == b"content"
    ring.shred(stream)
    with pytest.raises(UnknownKey, match="shredded"):
        box.open(path, "rb")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="there are no devices")
def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    null = tmp_path / "null"
    null.symlink_to("/dev/null")
    for target in (null, tmp_path):
        with pytest.raises(InvalidArgument, match="regular"):
            BOX.encrypt_file(source, target)
        with pytest.raises(InvalidArgument, match="regular"):
            BOX.open(target, "wb")


def test_a_writer_that_could_not_write_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError("disk full")

    for data in (NOISE, NOISE[:10]):
        file = BOX.open(tmp_path / "out", "wb", segment_size=KIB64)
        assert file.writable()
        with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):  # noqa: PT012
            patch.setattr("safekv.envelope._replacing.write_at", full)
            file.write(data)
            file.close()
        file.close()
        file.discard()
        with pytest.raises(TypeError):
            pickle.dumps(file)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="such"):
        BOX.open(tmp_path / "none", "rb")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        write_object(NOISE, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("length", EDGES)
def test_what_is_in_memory_is_a_source(kind: Any, length: int) -> None:
    sink, back = io.BytesIO(), io.BytesIO()
    assert BOX.encrypt_stream(kind(NOISE[:length]), sink, b"aad", segment_size=KIB64) == length
    assert BOX.decrypt_stream(kind(sink.getvalue()), back, b"aad") == length
    assert back.getvalue() == opened(sink.getvalue()) == NOISE[:length]
    for cut in (0, 1, 43, 44, 84, len(sink.getvalue()) - 1):
        with pytest.raises(DecryptionFailed):
            BOX.decrypt_stream(kind(sink.getvalue()[:cut]), io.BytesIO(), b"aad")


def test_progress_of_streams() -> None:
    seen: list[Any] = []
    sink, back = io.BytesIO(), io.BytesIO()
    BOX.encrypt_stream(io.BytesIO(NOISE), sink, segment_size=KIB64, progress=lambda *it: seen.append(it))
    BOX.decrypt_stream(io.BytesIO(sink.getvalue()), back, progress=lambda *it: seen.append(it))
    assert seen[:2] == [(FIRST, None), (FIRST + OTHER, None)]
    assert seen[-1] == (len(NOISE), None)


def test_a_file_that_shrinks_while_it_is_read_at_many_places(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(sealed(NOISE))
    with BOX.open(path, "rb", b"aad") as file:
        os.truncate(path, KIB64)
        file.seek(FIRST)
        with pytest.raises(SourceChanged):
            file.read(1)


class Stop(Exception):
    """What a test stops with."""


def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before")

    def fail(*_: Any) -> None:
        raise Stop

    with pytest.raises(Stop), BOX.open(path, "wb") as file:  # noqa: PT012
        file.write(NOISE)
        raise Stop
    forgotten = BOX.open(path, "wb")
    forgotten.write(NOISE)
    del forgotten
    source = tmp_path / "source"
    source.write_bytes(NOISE)
    for threads in (1, 3):
        with pytest.raises(Stop):
            BOX.encrypt_file(source, path, segment_size=KIB64, threads=threads, progress=fail)
    source.write_bytes(sealed(NOISE))
    with pytest.raises(Stop):
        BOX.decrypt_file(source, path, b"aad", progress=fail)
    with pytest.raises(DecryptionFailed):
        BOX.decrypt_file(source, path, b"other")
    assert path.read_bytes() == b"before"
    assert sorted(tmp_path.iterdir()) == [path, source]
    with pytest.raises(ValueError, match="closed"):
        file.write(b"x")


def test_a_source_that_changes_is_noticed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for size, message in ((KIB64, "changed"), (5 * KIB64, "changed")):
        source.write_bytes(NOISE)

        def change(done: int, total: int | None, size: int = size) -> None:
            if done < KIB64:
                os.truncate(source, size)

        with pytest.raises(SourceChanged, match=message):
            BOX.encrypt_file(source, target, segment_size=KIB64, threads=1, progress=change)
        assert not target.exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions and pipes are POSIX's")
def test_new_files_are_their_owners_alone_and_old_ones_keep_their_mode(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"content")
    BOX.encrypt_file(source, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(target)
    BOX.encrypt_file(source, link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    BOX.encrypt_file(source, source)  # in its own place
    BOX.decrypt_file(source, source)
    assert source.read_bytes() == b"content"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
def test_a_named_pipe_has_no_size(tmp_path: Path) -> None:
    pipe, target, back = tmp_path / "pipe", tmp_path / "target", tmp_path / "back"
    os.mkfifo(pipe)

    def feed(data: bytes, then: Callable[[], int]) -> int:
        thread = threading.Thread(target=pipe.write_bytes, args=(data,))
        thread.start()
        try:
            return then()
        finally:
            thread.join()

    assert feed(NOISE, lambda: BOX.encrypt_file(pipe, target, segment_size=KIB64)) == len(NOISE)
    assert feed(target.read_bytes(), lambda: BOX.decrypt_file(pipe, back)) == len(NOISE)
    assert back.read_bytes() == NOISE


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc on this system")
def test_a_file_that_says_it_is_empty_and_is_not(tmp_path: Path) -> None:
    status, target = Path("/proc/self/status"), tmp_path / "target"
    assert status.stat().st_size == 0
    assert BOX.encrypt_file(status, target) > 100
    assert BOX.decrypt_file(target, tmp_path / "back") == (tmp_path / "back").stat().st_size > 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.parametrize("call", [lambda file: file.write(NOISE), lambda file: file.close()], ids=["write", "close"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # pytest-xdist has threads
def test_a_child_cannot_go_on_writing_its_parents_file(call: Callable[[Any], Any], tmp_path: Path) -> None:
    """It would encrypt other content under the same nonce; and it must not take the file away either."""
    path = tmp_path / "out"
    file = BOX.open(path, "wb", segment_size=KIB64)
    file.write(NOISE[:1000])
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            call(file)
        except InvalidArgument:
            del file
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    file.close()
    with BOX.open(path, "rb") as reading:
        assert reading.read() == NOISE[:1000]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_leaves_a_file_that_another_thread_of_its_parent_is_writing(tmp_path: Path) -> None:
    file = BOX.open(tmp_path / "out", "wb", segment_size=KIB64)
    with file._lock:  # as a thread has it that the child is without
        pid = os.fork()
        if pid == 0:
            signal.alarm(10)
            file.discard()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    file.close()
    assert (tmp_path / "out").exists()


def test_threads_may_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with BOX.open(path, "wb", segment_size=KIB64) as file:
        threads = [threading.Thread(target=file.write, args=(bytes([n]) * KIB64,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with BOX.open(path, "rb") as reading:
        blocks = [reading.read(KIB64) for _ in range(8)]
    assert sorted(blocks) == [bytes([n]) * KIB64 for n in range(8)]


@pytest.mark.parametrize("name", ["preadv", "pread", "pwrite"])
def test_systems_without_positional_reads(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("preadv", "pread", "pwrite")[: ("preadv", "pread", "pwrite").index(name) + 1]:
        monkeypatch.delattr(os, each, raising=False)
    path = tmp_path / "file"
    write_file(NOISE, path)
    assert opened(path.read_bytes()) == NOISE
    back = tmp_path / "back"
    BOX.decrypt_file(path, back, b"aad", threads=2)
    assert back.read_bytes() == NOISE


@pytest.mark.parametrize(
    "call",
    [
        lambda path: BOX.open(path, "r"),
        lambda path: BOX.open(path, "ab"),
        lambda path: BOX.open(path, "wb", segment_size=4096),
        lambda path: BOX.open(path, "wb", "aad"),
        lambda path: BOX.open(path, "wb", raw=True, embed_ring=True),
        lambda path: BOX.encrypt_file(path, path, threads=0),
        lambda path: BOX.encrypt_file(path, path, threads=True),
        lambda path: BOX.encrypt_stream(path, io.BytesIO()),
        lambda path: BOX.encrypt_stream(io.StringIO("text"), io.BytesIO()),
        lambda path: BOX.encrypt_stream(io.BytesIO(b"x"), path),
        lambda path: BOX.decrypt_stream(io.BytesIO(sealed(b"x")), None, b"aad"),
        lambda path: BOX.open(path.with_name("w"), "wb").write("text"),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with pytest.raises(InvalidArgument):
        call(path)
    assert path.read_bytes() == b"content"


def test_sources_and_sinks_that_are_not_ready_are_not_taken_for_empty() -> None:
    class NotReady(io.RawIOBase):
        def readinto(self, into: Any) -> None:
            return None

        def write(self, data: Any) -> None:
            return None

    with pytest.raises(BlockingIOError):
        BOX.encrypt_stream(NotReady(), io.BytesIO())
    with pytest.raises(BlockingIOError):
        BOX.encrypt_stream(io.BytesIO(b"x"), NotReady())


def test_a_format_that_counts_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Layout(MIB).count(1 << 50) == (1 << 30) + 16385
    with pytest.raises(InvalidArgument, match="more than one stream"):
        Layout(KIB64).count(1 << 50)
    monkeypatch.setattr("safekv.envelope._framing.MAX_SEGMENTS", 2)
    assert len(sealed(NOISE[: FIRST + OTHER])) > 0
    with pytest.raises(InvalidArgument, match="2\\^32"):
        sealed(NOISE[: FIRST + OTHER + 1])


def test_two_idle_cores_are_used_for_large_files_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "_cores", lambda: 8)
    assert [_files._threads(None, size) for size in (0, 8 * MIB - 1, 8 * MIB)] == [1, 1, 4]


@given(length=st.integers(0, 1 << 40), size=st.sampled_from(_segments.SEGMENT_SIZES))
def test_the_layout_is_one_with_itself(length: int, size: int) -> None:
    layout = Layout(size)
    segments = layout.count(length)
    last = length - layout.content_start(segments - 1)
    assert 0 <= last <= layout.room(segments - 1)
    assert layout.content(layout.body_start(segments - 1) + last + 16) == length
    if length:
        assert layout.index_at(length - 1) == segments - 1
        assert layout.index_at(0) == 0
