"""How a ring's content key gets to and from the keys in the vaults: the order of questions, not the asking.

The flows here are generators that yield what is to be called; ``run`` in ``_ring`` calls it,
its twin in ``aio`` awaits it, and both send the answer back.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from safekv import _events
from safekv.envelope._allowed import AllowedKeys, allowed, shown
from safekv.envelope._errors import InvalidRing, RingUnavailable, WrapCheckFailed
from safekv.envelope._jwe import CEK_BYTES, MAX_RECIPIENTS, WRAP_ALGORITHMS, Document, Recipient, seal
from safekv.envelope._keys import KeySet, from_jwks, to_jwks
from safekv.errors import InvalidArgument, SafeKVError


class Wrapped(NamedTuple):
    """What wrapping gives. ``kid`` is the full address of the key's version that did it."""

    algorithm: str
    kid: str
    encrypted_key: bytes


class Wrapper(Protocol):
    """One key-encryption key, somewhere safe. It must pickle without what is secret in it, if the ring is to."""

    def wrap(self, key: bytes) -> Wrapped:
        """Encrypt 32 bytes: with ``RSA-OAEP-256`` or ``A256KW``."""
        ...

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        """The reverse, for any version of this key.

        :raises LookupError: if ``kid`` is another key. Any other error counts as this key's failure.
        """
        ...


class AsyncWrapper(Protocol):
    """The same, with ``await``."""

    async def wrap(self, key: bytes) -> Wrapped: ...

    async def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes: ...


class OfRing:
    """A wrapper that its ring has made, and closes."""


#: What a flow yields: call it, await what it returns if that is the colour, and send the outcome.
Call = Callable[[], Any]


def checked(wrappers: Sequence[Any]) -> tuple[Any, ...]:
    """``wrappers``, if they can be.

    :raises InvalidArgument: for none, and too many.
    """
    if not 0 < len(wrappers) <= MAX_RECIPIENTS:
        raise InvalidArgument(
            f"{len(wrappers)} key-encryption keys were given; 1 to {MAX_RECIPIENTS} are possible.",
            hint="One key in each of two vaults keeps the ring readable while one of them is out of reach.",
        )
    return tuple(wrappers)


def sealing(keys: KeySet, wrappers: Sequence[Any]) -> Generator[Call, Any, Document]:
    """A new document with ``keys`` in it, under a content key of its own, that every wrapper has opened once."""
    cek = os.urandom(CEK_BYTES)
    recipients = yield from wrapping(cek, wrappers)
    return seal(to_jwks(keys), cek, recipients)


def wrapping(cek: bytes, wrappers: Sequence[Any]) -> Generator[Call, Any, tuple[Recipient, ...]]:
    """``cek`` for every wrapper, each of them tried: a key that cannot be got back must not be used.

    :raises WrapCheckFailed: if one gives back something else.
    :raises InvalidArgument: if one wraps in a way that a ring cannot hold.
    """
    recipients = []
    for wrapper in wrappers:
        answer = Wrapped(*(yield partial(wrapper.wrap, cek)))
        if answer.algorithm not in WRAP_ALGORITHMS:
            raise InvalidArgument(
                f"{shown(answer.kid)} wraps with {shown(answer.algorithm)}; "
                f"a ring needs {' or '.join(WRAP_ALGORITHMS)}.",
                hint="Use an RSA key, or a symmetric key in a managed HSM.",
            )
        if not allowed([answer.kid]).allows(answer.kid):
            raise InvalidArgument(
                f"{shown(answer.kid)} does not name the version of a key as vaults do.",
                hint="It must be https://host/keys/name/version, with the host in lower case.",
            )
        back = yield partial(wrapper.unwrap, *answer)
        if not hmac.compare_digest(back, cek):
            raise WrapCheckFailed(
                f"What {shown(answer.kid)} wrapped, it does not unwrap to the same key.",
                hint="Nothing was encrypted with it. Wrapping and unwrapping are done by two different keys.",
            )
        recipients.append(Recipient(*answer))
    return tuple(recipients)


def opening(
    document: Document, wrappers: Sequence[Any], allow: AllowedKeys
) -> Generator[Call, Any, tuple[KeySet, bytes]]:
    """The keys in ``document`` and its content key, from the first recipient that works.

    :raises KeyNotAllowed: if no recipient is on the list; nothing is asked then.
    :raises RingUnavailable: if all failed; transient if one of the failures was.
    :raises InvalidRing: if keys were unwrapped that do not fit the document.
    """
    fine = set(allow.only(it.kid for it in document.recipients))
    failures: list[tuple[str, Exception]] = []
    for recipient in document.recipients:
        if recipient.kid not in fine:
            continue
        try:
            cek = yield from _unwrapping(recipient, wrappers)
            opened = from_jwks(document.open(cek))
        except Exception as error:
            _events.emit(_events.RingUnwrapped(_host_of(recipient.kid), type(error).__name__))
            failures.append((recipient.kid, error))
        else:
            _events.emit(_events.RingUnwrapped(_host_of(recipient.kid), None))
            return opened, cek
    raise _unavailable(failures) from failures[-1][1]


def _unwrapping(recipient: Recipient, wrappers: Sequence[Any]) -> Generator[Call, Any, bytes]:
    for wrapper in wrappers:
        try:
            cek: bytes = yield partial(wrapper.unwrap, recipient.algorithm, recipient.kid, recipient.encrypted_key)
        except LookupError:
            continue
        return cek
    raise InvalidArgument("None of the given key-encryption keys is this one.")


def _unavailable(failures: list[tuple[str, Exception]]) -> SafeKVError:
    texts = tuple(f"{shown(kid)}: {_said(error)}" for kid, error in failures)
    if all(isinstance(error, InvalidRing) for _, error in failures):
        return InvalidRing(str(failures[-1][1]))
    return RingUnavailable(
        "No key opened the key ring:\n" + "\n".join(f"  {text}" for text in texts),
        hint="Each line is one key that may; one of them is enough.",
        failures=texts,
        transient=any(getattr(error, "transient", False) for _, error in failures),
        client_request_id=getattr(failures[-1][1], "client_request_id", None) if failures else None,
    )


def _said(error: Exception) -> str:
    # Only our own errors are known to repeat nothing that is secret.
    return f"{type(error).__name__}: {error}" if isinstance(error, SafeKVError) else type(error).__name__


def lost(before: Document, after: Document) -> list[str]:
    """Keys that could open ``before`` and cannot open ``after``, whatever their versions."""
    still = {unversioned(it.kid).lower() for it in after.recipients}
    return [it.kid for it in before.recipients if unversioned(it.kid).lower() not in still]


def _host_of(kid: str) -> str:
    return kid.partition("://")[2].partition("/")[0]


def unversioned(kid: str) -> str:
    """The address of a key without its version."""
    return kid.rpartition("/")[0]
