"""``get_many``: what to read, what became of it, and what to say when some of it failed. ``aio`` shares this."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from azure.core.exceptions import ClientAuthenticationError
from azure.keyvault.secrets import KeyVaultSecret

from safekv._identifiers import object_name
from safekv._seconds import positive
from safekv.connection.pipeline._call import ON_TOKEN
from safekv.errors import (
    BlockedByFirewall,
    ConnectionFailed,
    InsecureConnection,
    InvalidArgument,
    LoadError,
    PublicAccessDisabled,
    SafeKVError,
    UnreadableAnswer,
    UntrustedCertificate,
    VaultNotFound,
    VaultUnavailable,
)
from safekv.errors._briefly import is_refusal
from safekv.secrets._kept import is_missing, is_transient, twin

#: Seconds that the rest has to say what is wrong with it, once the whole cannot succeed any more.
LAST_WORDS = 5.0
#: What is the same for all secrets of a vault, and does not pass while a call waits.
_FOR_ALL = (
    ClientAuthenticationError,
    VaultNotFound,
    BlockedByFirewall,
    PublicAccessDisabled,
    UntrustedCertificate,
    InsecureConnection,
)
#: What a vault is left alone for, if it happens several times in a row.
_FAULTS = (VaultUnavailable, ConnectionFailed, UnreadableAnswer)


class Load:
    """One ``get_many``: what is still to be read, and what has come of the rest. Thread-safe.

    :param names: what has to be there.
    :param optional: what may be absent.
    :param timeout: seconds for all of it.
    :param cause: why the vault may be left alone, as an earlier reading found out.
    :raises InvalidArgument: naming everything that cannot be a secret's name.
    :ivar cause: the same, as far as it is known now.
    """

    def __init__(
        self,
        vault: str,
        names: Iterable[str],
        optional: Iterable[str],
        timeout: float,
        concurrency: int,
        now: Callable[[], float],
        cause: BaseException | None = None,
    ) -> None:
        self._vault = vault
        self.cause = cause
        self._required = listed("names", names)
        self._order = list(dict.fromkeys([*self._required, *listed("optional", optional)]))
        self._now = now
        self._deadline = now() + positive("timeout", timeout)
        self._lock = threading.Lock()
        self._found: dict[str, KeyVaultSecret | None] = {}
        self._failures: dict[str, BaseException] = {}
        #: Spellings of one name are one secret.
        self._spellings: dict[str, list[str]] = {}
        for name in self._order:
            self._spellings.setdefault(name.lower(), []).append(name)
        self.pending = [spellings[0] for spellings in self._spellings.values()]
        self.workers = min(_whole("concurrency", concurrency), len(self.pending))
        self._barred: BaseException | None = None

    def left(self) -> float:
        """Seconds that are left for one more read."""
        return max(0.0, self._deadline - self._now())

    def found(self, name: str, secret: KeyVaultSecret) -> None:
        with self._lock:
            for spelling in self._spellings[name.lower()]:
                self._found[spelling] = secret

    def failed(self, name: str, error: BaseException) -> None:
        """One read failed. A failure that is there to stay leaves the rest little time."""
        with self._lock:
            if isinstance(error, _FOR_ALL):
                self._barred = self._barred or error
                self._deadline = min(self._deadline, self._now() + LAST_WORDS)
            if isinstance(error, _FAULTS) and not is_refusal(error):
                self.cause = error
            for spelling in self._spellings[name.lower()]:
                if is_missing(error) and spelling not in self._required:
                    continue
                self._failures[spelling] = error
                if not is_transient(error):
                    self._deadline = min(self._deadline, self._now() + LAST_WORDS)

    def barred(self) -> BaseException | None:
        """What keeps us out altogether, so that there is no use in asking for the rest."""
        return None if self._barred is None else twin(self._barred)

    def result(self) -> dict[str, KeyVaultSecret]:
        """The secrets by name, as spelled and in the order in which they were asked for.

        :raises LoadError: naming all that failed.
        """
        failures = {name: self._told(self._failures[name]) for name in self._order if name in self._failures}
        if failures:
            raise LoadError.of(self._vault, failures, transient=all(map(is_transient, failures.values())))
        return {name: secret for name in self._order if (secret := self._found.get(name)) is not None}

    def _told(self, error: BaseException) -> BaseException:
        """The error; in the place of a refusal to ask a vault that had failed, what it had failed with."""
        cause = self._barred or self.cause
        if cause is None or not is_refusal(error):
            return error
        made = twin(cause)
        if isinstance(made, SafeKVError):
            made.retry_in = getattr(error, "retry_in", None)
        return made


def get_many(load: Load, read: Callable[..., KeyVaultSecret]) -> dict[str, KeyVaultSecret]:
    """Read it all at once; only the first goes alone until it has a token, or has found out that there is none."""
    if len(load.pending) < 2:
        for name in load.pending:
            _one(load, read, name)
        return load.result()
    pool = ThreadPoolExecutor(load.workers, thread_name_prefix="safekv-load")
    try:
        # Each in a context like ours: bulk work stays bulk work, and a trace one trace.
        first, *rest = load.pending
        works, may_follow = [], threading.Event()
        works.append(pool.submit(copy_context().run, _first, load, read, first, may_follow))
        may_follow.wait()
        works += [pool.submit(copy_context().run, _one, load, read, name) for name in rest]
        for work in works:
            work.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return load.result()


def _first(load: Load, read: Callable[..., KeyVaultSecret], name: str, may_follow: threading.Event) -> None:
    ON_TOKEN.set(may_follow.set)
    try:
        _one(load, read, name)
    finally:
        may_follow.set()


def _one(load: Load, read: Callable[..., KeyVaultSecret], name: str) -> None:
    barred = load.barred()
    if barred is not None:
        load.failed(name, barred)
        return
    try:
        load.found(name, read(name, timeout=load.left()))
    except Exception as error:
        load.failed(name, error)


def _problem(name: object) -> InvalidArgument | None:
    try:
        object_name(name)
    except InvalidArgument as problem:
        return problem
    return None


def listed(argument: str, given: Any) -> list[str]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidArgument(
            f"{argument} must be several names, not {type(given).__name__}.",
            hint=f"{argument}=['db-password', 'api-key'] is an example.",
        )
    names = list(dict.fromkeys(given))
    problems = [problem for name in names if (problem := _problem(name)) is not None]
    if problems:
        raise InvalidArgument("\n".join(problem.message for problem in problems), hint=problems[0].hint)
    return names


def _whole(argument: str, given: Any) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    raise InvalidArgument(f"{argument}={given!r} must be a positive whole number.", hint=f"{argument}=16")
