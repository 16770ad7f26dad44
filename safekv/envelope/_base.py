"""The part of a ring that is the same in both colours: its document, its open keys, and what pickles."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import threading
import time
from collections.abc import Generator, Hashable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from safekv._fork import on_fork
from safekv._identifiers import MAX_VALUE_BYTES
from safekv.envelope._access import access, wrappers
from safekv.envelope._allowed import AllowedKeys, allowed
from safekv.envelope._budgets import BUDGETS
from safekv.envelope._conflicts import found_another
from safekv.envelope._errors import InvalidRing, RingClosed, RingConflict
from safekv.envelope._in_secret import VersionsOf, called, replacing_secret, writing_secret
from safekv.envelope._jwe import Document, parse
from safekv.envelope._keys import KeyInfo, KeySet
from safekv.envelope._one_writer import LONGEST_WAIT, one_writer
from safekv.envelope._opened import Opened
from safekv.envelope._process import OPEN_RINGS
from safekv.envelope._replacing import replacing
from safekv.envelope._settings import MAX_SPREAD, RingSettings
from safekv.envelope._turns import turn
from safekv.envelope._wrapping import Call, OfRing, lost, opening, sealing, wrapping
from safekv.errors import InvalidArgument

logger = logging.getLogger("safekv")

Ring = TypeVar("Ring", bound="RingBase")
Flow = Generator[Call, Any, Any]

#: Seconds until a vault that was out of reach is asked again, while old keys stand in.
_AGAIN = 30.0
#: What a vault does for one RSA-2048 key, with room for the time that processes differ anyway.
_UNWRAPS_PER_SECOND = 200.0


class RingBase:
    """See ``KeyRing`` (and ``aio.KeyRing``) for what can be done with it."""

    def __init__(
        self,
        document: str | bytes | Document,
        *keks: Any,
        credential: Any = None,
        allow: Iterable[str] | AllowedKeys | None = None,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> None:
        self._document = document if isinstance(document, Document) else parse(document)
        self._keks, self._allow = access(self._document, keks, credential, allow, self._vault_key)
        self._settings = settings or RingSettings()
        self._clock = clock
        self._now = time.monotonic if clock is SYSTEM_CLOCK else clock.monotonic  # a call less for each record
        self._random = random
        self._opened: Opened | None = None
        self._writing: tuple[str, ...] = ()  # keys that go on encrypting until newer ones are written down
        self._origin: Document | None = self._document  # what a file must hold to be replaced
        self._asker: bytes | None = None  # who unpickled it: see _process
        self._closed = False
        self._new_locks()
        on_fork(self)

    def _new_locks(self) -> None:
        self._lock = threading.RLock()

    def _held(self) -> AbstractContextManager[None]:
        """The ring for this thread alone; those of the same ring wait no longer than ``wait_timeout``."""
        return turn(self._lock, self._settings.wait_timeout)

    @staticmethod
    def _vault_key(key: Any, credential: Any) -> Any:
        """The wrapper of this colour for a key in a vault."""
        raise NotImplementedError

    @property
    def recipients(self) -> tuple[str, ...]:
        """The key ids that can open this ring, in the order in which they are tried."""
        return tuple(it.kid for it in self._document.recipients)

    def to_json(self) -> str:
        """The ring as JWE General JSON, to be stored: it holds nothing that has to be kept secret.

        Who can write where it is stored can give you keys of their own, though: RSA wrapping proves no origin.
        Keys that were added encrypt from now on.
        """
        with self._held():
            self._written()
            return self.wrapped()

    def wrapped(self) -> str:
        """The same text, for looking at: it does not count as written down."""
        return self._document.to_json()

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write :meth:`to_json` to a file: all of it or nothing, readable by its owner only.

        One process at a time does: of several that save at once, one wins, and the others get a ``RingConflict``.

        :param overwrite: replace whatever is there. A ring that is overwritten takes what it encrypted with it.
        :raises RingConflict: if the file holds anything but the version that this ring was made from.
        :raises RingUnavailable: (transient) if others were saving to this file for 10 s.
        """
        with self._held(), one_writer(path, min(LONGEST_WAIT, self._settings.wait_timeout)):
            replace = overwrite or self._may_replace(path)
            try:
                with replacing(path, keep_mode=False, replace=replace) as file:
                    file.write_at(self.wrapped().encode("ascii"), 0)
            except FileExistsError:  # by somebody who does not wait for others
                raise self._conflict(repr(os.fspath(path))) from None
            self._written()  # only now: what could not be written must not be used
            self._origin = self._document

    def _may_replace(self, path: str | os.PathLike[str]) -> bool:
        """Whether there is a file, which is then one that may be replaced."""
        there = None
        try:
            there = read_document(path)
        except FileNotFoundError:
            return False
        except InvalidRing:
            pass
        self._check_there(there, repr(os.fspath(path)))
        return True

    def _check_there(self, there: Document | None, what: str) -> None:
        if there is None or there not in (self._origin, self._document):
            raise self._conflict(what, is_ring=there is not None)

    def _conflict(self, what: str, is_ring: bool = True) -> RingConflict:
        return found_another(what, is_ring=is_ring, ours_is_new=self._origin is None)

    def _written(self) -> None:
        """Let the newest keys encrypt."""
        if self._writing:
            self._writing = ()
            if self._opened is not None:
                self._use(self._opened.keys, self._opened.expires)

    def due(self) -> tuple[str, ...]:
        """Ids of the keys that should be replaced with ``add_key()``.

        They encrypt for longer than ``max_age``, or this process has used half of an A256GCM key's messages.

        :raises RingUnavailable: see :meth:`opened`.
        """
        return self._due(self.opened())

    def _due(self, opened: Opened) -> tuple[str, ...]:
        s, now = self._settings, self._clock.time()
        return tuple(
            key.kid
            for key in (opened.record_key, opened.stream_key)
            if now - key.created > s.max_age or BUDGETS.half_spent(key.kid, s.workers)
        )

    def list_keys(self) -> tuple[KeyInfo, ...]:
        """The data keys, oldest first.

        :raises RingUnavailable: see :meth:`opened`.
        """
        return tuple(key.info for key in self.opened().keys.keys)

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} with {len(self._document.recipients)} recipient(s)>"

    def __reduce__(self) -> tuple[Any, ...]:
        # The wrapped form, and no clock: what is unpickled opens the ring by itself.
        asker = hashlib.sha256(pickle.dumps((type(self), self._keks))).digest()
        state = {"_writing": self._writing, "_asker": asker, "_closed": self._closed}
        if self._origin is not self._document:
            state["_origin"] = self._origin
        return _rebuild, (type(self), self._document.to_json(), self._keks, self._allow, self._settings, state)

    def after_fork(self) -> None:
        """A child keeps the keys; it gets a lock and a salt of its own."""
        self._new_locks()
        if self._opened is not None:
            self._opened.after_fork()

    def _drop(self) -> None:
        OPEN_RINGS.drop(self._same())
        self._closed = True
        self._opened = None

    # What follows is used by the two colours.

    def _fresh(self) -> Opened | None:
        """The keys in memory, if they may be used."""
        opened = self._opened
        if opened is not None and self._now() < opened.expires:
            return opened
        if self._closed:
            raise _closed()
        return None

    def opened(self, bulk: bool = False) -> Opened:
        """The keys, which every call asks for: from memory, or as the colour can.

        :param bulk: let the vault's other callers go first.
        :raises RingClosed: after ``close()``.
        :raises RingUnavailable: (``KeyRing``) if no key opens the ring.
        :raises RingLocked: (``aio.KeyRing``) if they are not in memory: ``await ring.open()`` first.
        """
        opened = self._opened
        if opened is None or self._now() >= opened.expires:
            return self._open(bulk)
        return opened

    def _open(self, bulk: bool) -> Opened:
        raise NotImplementedError

    def _reopening(self) -> Flow:
        shared = OPEN_RINGS.get(self._same(), self._now()) if self._asker else None
        if shared is not None:
            self._opened = shared
            return shared
        yield from self._waiting()
        try:
            keys, _ = yield from opening(self._document, self._keks, self._allow)
        except Exception as error:
            return self._stale_or(error)
        opened = self._use(keys)
        if self._asker:
            OPEN_RINGS.put(self._same(), opened)
        for key_id in self._due(opened):
            logger.warning("safekv: the data key %s of a key ring should be replaced: add_key(), then save it.", key_id)
        return opened

    def _waiting(self) -> Flow:
        """Let processes that start together not all ask at once. Who has been open comes apart by ``jitter``."""
        s = self._settings
        spread = s.spread if s.spread is not None else s.workers / _UNWRAPS_PER_SECOND if self._asker else 0.0
        if spread and self._opened is None:
            yield partial(self._sleep, min(spread, MAX_SPREAD) * self._random.random())

    def _sleep(self, seconds: float) -> Any:
        raise NotImplementedError

    def _same(self) -> Hashable:
        """Equal for rings that may share their keys."""
        return self._asker, self._document, self._allow, self._settings, self._writing

    def _stale_or(self, error: Exception) -> Opened:
        """The old keys while a vault is out of reach, if they were asked for and are not too old."""
        opened, now = self._opened, self._now()
        if opened is None or not getattr(error, "transient", False) or now >= opened.ends:
            self._opened = None
            raise error
        opened.expires = min(opened.ends, now + _AGAIN)
        return opened

    def _use(self, keys: KeySet, expires: float | None = None) -> Opened:
        if self._closed:  # while a vault was answering
            raise _closed()
        s = self._settings
        if expires is None:
            expires = self._now() + s.ttl * (1 - s.jitter * self._random.random())
        self._opened = opened = Opened(keys, expires, expires + s.max_stale, s.workers, self._writing)
        return opened

    def _shreddable(self, before: Opened, key_id: str) -> KeySet:
        if key_id in (before.record_key.kid, before.stream_key.kid) and key_id in self._writing:
            raise InvalidArgument(
                f"Key {key_id} encrypts until the ring that replaces it is written down.", hint="save() the ring first."
            )
        return before.keys.without(key_id)

    def _changing(self, before: Opened, keys: KeySet) -> Flow:
        """Put ``keys`` in place of what the ring holds; the ones that encrypted go on until the ring is written."""
        former = self._document
        if self._opened is not before:
            raise _changed()
        document = yield from sealing(keys, self._keks)
        self._check_unchanged(former)
        missing = lost(self._document, document)
        if missing:
            raise InvalidArgument(
                f"The ring can also be opened with {', '.join(missing)}, whose key was not given.",
                hint="Load the ring with all of its key-encryption keys (--kek, once for each) to change it, or "
                "rewrap() it first (safekv keyring rewrap).",
            )
        self._writing = self._writing or (before.record_key.kid, before.stream_key.kid)
        self._document = document
        self._use(keys)

    def _rewrapping(self, given: tuple[Any, ...], credential: Any) -> Flow:
        """Other keys for the same content."""
        keks = wrappers(given, credential, self._vault_key)
        document = self._document
        keys, cek = yield from opening(document, self._keks, self._allow)
        recipients = yield from wrapping(cek, keks)
        self._check_unchanged(document)
        former, self._keks = self._keks, keks
        self._document = document.addressed_to(recipients)
        self._allow = allowed([it.kid for it in recipients])
        self._use(keys)
        yield from closing(former)  # last of all: it may fail, or be cancelled

    def _check_unchanged(self, document: Document) -> None:
        """A turn is one event loop's: another loop may have changed the ring while a vault answered."""
        if self._document is not document:
            raise _changed()

    def _storing(self, client: Any, versions_of: VersionsOf, name: str, overwrite: bool) -> Flow:
        """Write the ring into a secret, unless somebody else has been there."""
        text = self.wrapped()
        if len(text) > MAX_VALUE_BYTES:
            raise InvalidArgument(
                f"The ring has {len(text):,} bytes; a secret holds at most {MAX_VALUE_BYTES:,}.",
                hint="shred() keys that nothing needs any more, or save() the ring to a file.",
            )
        if overwrite:
            yield from writing_secret(client, name, text)
        else:
            yield from replacing_secret(
                client, versions_of, name, text, lambda value: self._check_there(_parsed(value), called(name))
            )
        self._written()  # only now, as in save()
        self._origin = self._document


def _parsed(text: str) -> Document | None:
    try:
        return parse(text)
    except InvalidRing:
        return None


def closing(keks: Iterable[Any]) -> Flow:
    """Close the clients that the ring itself has made."""
    for kek in keks:
        if isinstance(kek, OfRing):
            yield kek.close  # type: ignore[attr-defined]  # those of vaults have it


def _changed() -> RingConflict:
    return RingConflict("The ring was changed in another event loop meanwhile.", hint="Do it again.")


def _closed() -> RingClosed:
    return RingClosed("This key ring was closed.", hint="Load it again: KeyRing.load(...).")


def _rebuild(
    kind: type[Ring],
    document: str,
    keks: tuple[Any, ...],
    allow: AllowedKeys,
    settings: RingSettings,
    state: dict[str, Any],
) -> Ring:
    ring = kind(document, *keks, allow=allow, settings=settings)
    vars(ring).update(state)
    return ring


def read_document(path: str | os.PathLike[str]) -> Document:
    """What is in a ring's file.

    :raises InvalidRing: naming the file.
    """
    try:
        return parse(Path(path).read_text("ascii", errors="replace"))
    except InvalidRing as error:
        raise InvalidRing(f"{os.fspath(path)!r}: {error.message}", hint=error.hint) from None
