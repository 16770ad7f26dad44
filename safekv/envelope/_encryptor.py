"""What applications use: a ring, and everything that can be encrypted with it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from os import urandom
from typing import Any, Literal, overload

from safekv import _events
from safekv.envelope._base import RingBase
from safekv.envelope._encoding import from_base64url, to_base64url
from safekv.envelope._errors import NotEncrypted
from safekv.envelope._fileobjects import EncryptedReader, EncryptedWriter
from safekv.envelope._files import Path, decrypt_file, encrypt_file
from safekv.envelope._framing import Framing
from safekv.envelope._records import BYTES, MAX_RECORD, NONCE_BYTES, Bytes, as_bytes, not_bytes
from safekv.envelope._segments import MIB, check_segment_size
from safekv.envelope._stream import Progress, decrypt_stream, encrypt_stream
from safekv.envelope._tally import DECRYPTED, ENCRYPTED
from safekv.errors import InvalidArgument


class Encryptor:
    """Encrypts with the keys of ``ring`` (of either colour); there are no keys or nonces to get wrong.

    ``aad`` is context: not secret, not stored, and needed again to decrypt. Put into it what the data belongs to
    (``b"customers|iban|4711"``), and it cannot be moved to where it does not belong.

    May be used by threads, in forked children, and pickled: what travels is the wrapped ring.

    :raises RingUnavailable: (all methods) if the keys are not in memory and no vault gives them.
    """

    def __init__(self, ring: RingBase) -> None:
        if not isinstance(ring, RingBase):
            raise InvalidArgument(
                f"Encryptor needs a KeyRing, not {type(ring).__name__}.", hint="Encryptor(KeyRing.load(...))"
            )
        self._ring = ring

    def __repr__(self) -> str:
        return f"Encryptor({self._ring!r})"

    # Records

    def encrypt(self, data: Bytes, aad: Bytes = b"") -> bytes:
        """``data`` as a record, 45 bytes longer (33 with A256GCM)."""
        if aad is None:  # cryptography would take it for b"", and nothing would be bound
            raise not_bytes(aad, "aad")
        ring = self._ring
        opened = ring._opened  # all of ring.opened() and sealer.seal(), but for two calls: a tenth of the time
        if opened is None or ring._now() >= opened.expires:
            opened = ring._open(bulk=False)
        try:
            prefix, encrypt = next(opened.sealer.uses)
            nonce = urandom(NONCE_BYTES)
            sealed = prefix + nonce + encrypt(nonce, data, aad)
        except (TypeError, OverflowError, StopIteration):
            sealed = opened.sealer.seal(_record(data), _bytes(aad, "aad"))
        if _events.hooks:
            ENCRYPTED.add(len(data))
        return sealed

    def decrypt(self, token: Bytes, aad: Bytes = b"") -> bytes:
        """What :meth:`encrypt` was given.

        :raises DecryptionFailed: if ``token`` is not what it gave, or ``aad`` is another.
        """
        if aad is None:
            raise not_bytes(aad, "aad")
        try:
            data = self._ring.opened().openers.open(token, aad)
        except TypeError:
            data = self._ring.opened().openers.open(token, _bytes(aad, "aad"))
        if _events.hooks:
            DECRYPTED.add(len(data))
        return data

    def encrypt_many(self, rows: Iterable[Bytes], aad: Bytes | Sequence[Bytes]) -> list[bytes]:
        """Records for all of ``rows``, several times as fast as one by one.

        :param rows: a list, or an Arrow array of binary; ``safekv.integrations.arrow`` takes text and nulls, too.
        :param aad: one for each row, or one for all of them, which leaves rows exchangeable with each other.
        :raises InvalidArgument: if their numbers differ, or something is not bytes.
        """
        data = _rows(rows, "rows")
        aads = _aads(aad, len(data))
        try:
            sealed = self._ring.opened(bulk=True).sealer.seal_many(data, aads)
        except (TypeError, OverflowError):
            data = [_record(row) for row in data]
            aads = aads if isinstance(aads, bytes) else [_bytes(it, "aad") for it in aads]
            sealed = self._ring.opened(bulk=True).sealer.seal_many(data, aads)
        if _events.hooks:
            ENCRYPTED.add_all(data)
        return sealed

    def decrypt_many(self, tokens: Iterable[Bytes], aad: Bytes | Sequence[Bytes]) -> list[bytes]:
        """What :meth:`encrypt_many` was given.

        :raises DecryptionFailed: for the first that fails; ``index`` is its place in the list.
        """
        data = _rows(tokens, "tokens")
        aads = _aads(aad, len(data))
        try:
            opened = self._ring.opened(bulk=True).openers.open_many(data, aads)
        except TypeError:
            aads = aads if isinstance(aads, bytes) else [_bytes(it, "aad") for it in aads]
            opened = self._ring.opened(bulk=True).openers.open_many(data, aads)
        if _events.hooks:
            DECRYPTED.add_all(opened)
        return opened

    def rotate(self, token: Bytes, aad: Bytes = b"") -> bytes:
        """The same content under the ring's present key.

        :raises DecryptionFailed: as :meth:`decrypt`.
        """
        return self.encrypt(self.decrypt(token, aad), aad)

    def encrypt_text(self, text: str, aad: Bytes = b"") -> str:
        """``text`` (as UTF-8) as a record in base64url without padding."""
        return to_base64url(self.encrypt(_encoded(text), aad))

    def decrypt_text(self, token: str, aad: Bytes = b"") -> str:
        """What :meth:`encrypt_text` was given.

        :raises DecryptionFailed: as :meth:`decrypt`.
        """
        try:
            record = from_base64url(_text(token))
        except ValueError as error:
            if isinstance(error, InvalidArgument):
                raise
            raise NotEncrypted("This is not the text of a record: it is not base64url without padding.") from None
        return _decoded(self.decrypt(record, aad))

    def rotate_text(self, token: str, aad: Bytes = b"") -> str:
        """See :meth:`rotate`."""
        return self.encrypt_text(self.decrypt_text(token, aad), aad)

    # Files and streams

    def encrypt_file(
        self,
        source: Path,
        target: Path,
        aad: Bytes = b"",
        *,
        raw: bool = False,
        segment_size: int = MIB,
        embed_ring: bool = False,
        threads: int | None = None,
        fsync: bool = True,
        progress: Progress | None = None,
    ) -> int:
        """Encrypt a file into another one, which appears complete, synced and readable by its owner only.

        Until then it has no name, so that a process that is killed leaves nothing; on systems other than Linux, and on
        file systems without such files, it is beside the target as ``.name.….tmp``, and stays if the process is killed.

        :param raw: write Tink's AES256_GCM_HKDF format alone: its reader needs the key and the segment size.
        :param segment_size: 1 MiB, or 64 KiB for files that will be read at many places.
        :param embed_ring: put the wrapped ring into the file, so that it can be recovered with the vault alone.
        :param threads: at most; by default one for each core, up to 4.
        :param fsync: wait until the disk has it.
        :param progress: called with bytes read and bytes in all, from any thread, one at a time.
        :returns: bytes of content.
        :raises SourceChanged: if the file's length changed meanwhile. The target is as it was then.
        """
        framing = self._framing(aad, raw, segment_size, embed_ring)
        opened = self._ring.opened(bulk=True)
        size = encrypt_file(opened, source, target, framing, threads=threads, fsync=fsync, progress=progress)
        ENCRYPTED.add(size)
        return size

    def decrypt_file(
        self,
        source: Path,
        target: Path,
        aad: Bytes = b"",
        *,
        raw: bool = False,
        segment_size: int = MIB,
        threads: int | None = None,
        fsync: bool = True,
        progress: Progress | None = None,
    ) -> int:
        """The reverse. The target appears when all of it is known to be genuine; see :meth:`encrypt_file`.

        :param segment_size: only for ``raw``; otherwise the file says it.
        :raises DecryptionFailed: if it is not; ``file``, ``segment`` and ``key_id`` say where.
        """
        framing = self._framing(aad, raw, segment_size)
        opened = self._ring.opened(bulk=True)
        size = decrypt_file(opened, source, target, framing, threads=threads, fsync=fsync, progress=progress)
        DECRYPTED.add(size)
        return size

    def encrypt_stream(
        self,
        source: Any,
        sink: Any,
        aad: Bytes = b"",
        *,
        raw: bool = False,
        segment_size: int = MIB,
        embed_ring: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """From ``source``, a binary file or bytes, to ``sink.write``: pipes, sockets, uploads. Returns content bytes.

        If this raises, ``sink`` has a stream without its end, which no reader accepts.
        """
        framing = self._framing(aad, raw, segment_size, embed_ring)
        size = encrypt_stream(self._ring.opened(bulk=True), source, sink, framing, progress)
        ENCRYPTED.add(size)
        return size

    def decrypt_stream(
        self,
        source: Any,
        sink: Any,
        aad: Bytes = b"",
        *,
        raw: bool = False,
        segment_size: int = MIB,
        progress: Progress | None = None,
    ) -> int:
        """The reverse. What reaches ``sink`` is genuine; that it is complete is only known when this returns.

        :raises DecryptionFailed: undo what was done with the part in ``sink`` then.
        """
        framing = self._framing(aad, raw, segment_size)
        size = decrypt_stream(self._ring.opened(bulk=True), source, sink, framing, progress)
        DECRYPTED.add(size)
        return size

    @overload
    def open(
        self, path: Path, mode: Literal["rb"], aad: Bytes = ..., *, raw: bool = ..., segment_size: int = ...
    ) -> io.BufferedReader: ...

    @overload
    def open(
        self,
        path: Path,
        mode: Literal["wb"],
        aad: Bytes = ...,
        *,
        raw: bool = ...,
        segment_size: int = ...,
        embed_ring: bool = ...,
        fsync: bool = ...,
    ) -> EncryptedWriter: ...

    def open(
        self,
        path: Path,
        mode: str,
        aad: Bytes = b"",
        *,
        raw: bool = False,
        segment_size: int = MIB,
        embed_ring: bool = False,
        fsync: bool = True,
    ) -> io.BufferedReader | EncryptedWriter:
        """A file object for what is in an encrypted file; use it with ``with``.

        ``"wb"``: the file appears when it is closed without an error. ``"rb"``: it can seek, and what it reads is
        genuine. Parameters as for :meth:`encrypt_file`.
        """
        if mode not in ("rb", "wb"):
            raise InvalidArgument(f"mode={mode!r} must be 'rb' or 'wb'.", hint="io.TextIOWrapper makes text of it.")
        framing = self._framing(aad, raw, segment_size, embed_ring and mode == "wb")
        opened = self._ring.opened(bulk=True)
        if mode == "wb":
            return EncryptedWriter(opened, path, framing, fsync=fsync)
        return io.BufferedReader(EncryptedReader(opened, path, framing))

    def _framing(self, aad: Bytes, raw: bool, segment_size: int, embed_ring: bool = False) -> Framing:
        if raw and embed_ring:
            raise InvalidArgument("A raw stream has no place for the ring.", hint="Leave out raw or embed_ring.")
        ring = self._ring.wrapped().encode("ascii") if embed_ring else b""
        return Framing(_bytes(aad, "aad"), raw, check_segment_size(segment_size), ring)


def _rows(given: Iterable[Bytes], name: str) -> Sequence[Bytes]:
    if isinstance(given, (list, tuple)):
        return given
    if isinstance(given, (str, *BYTES)) or not isinstance(given, Iterable):
        raise InvalidArgument(f"{name} must be a list of bytes, not {type(given).__name__}.")
    return _listed(given)


def _listed(given: Iterable[Bytes]) -> list[Bytes]:
    """An Arrow array gives objects of its own, but for this."""
    to_pylist = getattr(given, "to_pylist", None)
    return list(given) if to_pylist is None else to_pylist()


def _aads(given: Bytes | Sequence[Bytes], count: int) -> bytes | Sequence[Bytes]:
    if isinstance(given, BYTES):
        return bytes(given)
    if hasattr(given, "to_pylist"):
        given = _listed(given)
    if not isinstance(given, (list, tuple)):
        raise InvalidArgument(f"aad must be bytes or a list of bytes, not {type(given).__name__}.")
    if len(given) != count:
        raise InvalidArgument(f"aad has {len(given)} entries for {count} rows; each row needs one.")
    if None in given:
        raise not_bytes(None, "aad")
    return given


def _bytes(given: Bytes, name: str) -> bytes:
    if isinstance(given, BYTES):
        return bytes(given)
    raise not_bytes(given, name) from None  # not a matter of the TypeError that led here


def _record(given: Bytes) -> bytes:
    data = as_bytes(given)
    if len(data) > MAX_RECORD:
        raise InvalidArgument(
            f"{len(data):,} bytes are too many for a record; {MAX_RECORD:,} fit.", hint="encrypt_file() has no limit."
        )
    return data


def _encoded(text: str) -> bytes:
    try:
        return _text(text).encode()
    except UnicodeEncodeError:  # which would carry the text along
        raise InvalidArgument("The text has half of a surrogate pair, which UTF-8 cannot encode.") from None


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:  # which would carry the data along
        raise InvalidArgument("What was encrypted is not text.", hint="decrypt() gives the bytes.") from None


def _text(given: str) -> str:
    if isinstance(given, str):
        return given
    raise InvalidArgument(f"text must be a str, not {type(given).__name__}.", hint="encrypt() takes bytes.")
