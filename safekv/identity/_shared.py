"""Credentials of which there is one for the same arguments."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, ClassVar, TypeVar

from safekv._fork import on_fork
from safekv.connection import _registry
from safekv.connection._credential_kinds import may_pickle_a_secret
from safekv.connection._identity import frozen
from safekv.errors import CredentialNotPicklable

Self = TypeVar("Self", bound="Shared")

#: Credentials that are kept for the next caller; the least recently used goes first.
MAX_CREDENTIALS = 64
#: Classes whose arguments are secrets.
_SECRET_ARGUMENTS = frozenset(
    {
        "AuthorizationCodeCredential",
        "AzurePipelinesCredential",
        "CertificateCredential",
        "ClientAssertionCredential",
        "ClientSecretCredential",
        "OnBehalfOfCredential",
        "UsernamePasswordCredential",
    }
)


class _Shelf:
    """The credentials of this process."""

    def __init__(self) -> None:
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        self.lock = threading.RLock()
        self.credentials: OrderedDict[Hashable, Shared] = OrderedDict()


_SHELF = _Shelf()


class Shared:
    """Construction finds the credential that exists already; closing gives back one lease."""

    _key: Hashable
    _leases: int
    _arguments: tuple[tuple[Any, ...], dict[str, Any]]
    _original: ClassVar[Any]

    def __new__(cls: type[Self], *args: Any, **kwargs: Any) -> Self:
        if cls.__init__ is not Shared.__init__:
            # A subclass with an __init__ of its own is built by it, and not shared.
            return super().__new__(cls)
        key = (cls, frozen(args), frozen(kwargs))
        with _SHELF.lock:
            found = _SHELF.credentials.get(key)
            if found is None:
                found = super().__new__(cls)
                found._begin(key, args, kwargs)
                _SHELF.credentials[key] = found
            found._leases += 1
            _SHELF.credentials.move_to_end(key)
            while len(_SHELF.credentials) > MAX_CREDENTIALS:
                _SHELF.credentials.popitem(last=False)
            return found  # type: ignore[return-value]  # the key contains the class

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "_arguments" not in self.__dict__:  # else __new__ found or built it
            self._begin(None, args, kwargs)
            self._leases = 1

    def _begin(self, key: Hashable, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._key = key
        self._leases = 0
        self._arguments = (args, kwargs)
        self._start()

    def _start(self) -> None:
        """Run azure-identity's ``__init__``."""
        args, kwargs = self._arguments
        super().__init__(*args, **kwargs)

    def _give_back(self) -> bool:
        """One lease less; True if the credential has to be closed now."""
        with _SHELF.lock:
            self._leases -= 1
            if self._leases == 0 and _SHELF.credentials.get(self._key) is self:
                del _SHELF.credentials[self._key]
            last = self._leases == 0
        if last:
            _registry.current().forget(self)
        return last

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds the arguments; the other process makes its own credential from them."""
        kind = type(self)
        args, kwargs = self._arguments
        links = [each for each in (*args, *kwargs.values()) if may_pickle_a_secret(each)]
        if links or _SECRET_ARGUMENTS & {base.__name__ for base in kind.__mro__}:
            raise CredentialNotPicklable(
                f"{kind.__name__} cannot be pickled: its arguments are secrets, or can contain them.",
                hint="Construct it in the other process, or use DefaultAzureCredential there.",
            )
        if kind.__init__ is not Shared.__init__:
            raise TypeError(f"{kind.__name__} has an __init__ of its own; to be pickled it needs a __reduce__ as well.")
        return _reconstruct, (kind, args, kwargs)

    def __copy__(self: Self) -> Self:
        return self

    def __deepcopy__(self: Self, memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__}>"


class SharedCredential(Shared):
    """The sync kind."""

    _abandoned: list[object]

    def _start(self) -> None:
        super()._start()
        self._abandoned = []
        on_fork(self)

    def after_fork(self) -> None:
        """Its HTTP session is the parent's: keep that untouched, and start a new one."""
        before = dict(self.__dict__)
        self._start()
        self._abandoned.append(before)

    def close(self) -> None:
        """Give back one lease; the last one closes azure-identity's credential."""
        if self._give_back():
            self._original.__exit__(self, None, None, None)  # its close() would come back to ours

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


def shared_class(original: Any, mixin: type[Shared], module: str) -> Any:
    """azure-identity's class as a shared one; what is no credential is returned as it is."""
    if not isinstance(original, type) or not original.__name__.endswith("Credential"):
        return original
    return type(original)(
        original.__name__, (mixin, original), {"__module__": module, "__doc__": original.__doc__, "_original": original}
    )


def _reconstruct(kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return kind(*args, **kwargs)
