"""What makes an SDK client a shared one. The doors put these in front of the SDK's classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import safekv
from safekv import _identifiers
from safekv.connection import _emulation, _registry
from safekv.connection._connection import Connection, SyncConnection
from safekv.connection._credential_kinds import check_picklable, no_credential
from safekv.connection._identity import RAW, reconstruct
from safekv.errors import InvalidArgument

if TYPE_CHECKING:
    from azure.core.rest import HttpRequest, HttpResponse

    from safekv.connection._transport import LeasedTransport
    from safekv.resilience._lane import LaneStatus

Self = TypeVar("Self", bound="SharedClient")


class SharedClient:
    """Construction finds the client that exists already; closing gives back one lease.

    :param vault_url: ``https://`` URL of the vault, or the vault's name alone (public
        cloud); by default ``AZURE_KEY_VAULT_URL``.
    :param credential: an object that gives tokens; by default the process's one
        ``DefaultAzureCredential``.
    :param options: every keyword of the SDK's client. ``timeout`` is the deadline of each
        call in seconds (30 by default). ``cache`` is how long the client for secrets keeps
        them, a ``safekv.CacheSettings``, or None.
    """

    _connection_kind: ClassVar[type[Connection]]
    _api_versions: ClassVar[tuple[str, ...]] = ()
    #: Whether a Managed HSM has what this client is for.
    _on_hsm: ClassVar[bool] = False
    #: Whether an ordinary vault has it.
    _on_vault: ClassVar[bool] = True
    _lease: Any
    _origin: tuple[str, Any, Mapping[str, Any]]

    def __new__(cls: type[Self], vault_url: str | None = None, credential: Any = None, **options: Any) -> Self:
        if cls.__init__ is not SharedClient.__init__:
            # A subclass with an __init__ of its own is built by it, and not shared.
            return super().__new__(cls)

        def build(connection: Connection, own: dict[str, Any]) -> SharedClient:
            client: SharedClient = object.__new__(cls)
            return client._built(connection, own, credential, options)

        shared: Self = cls._registered(vault_url, credential, options, cls, build)
        return shared

    def __init__(self, vault_url: str | None = None, credential: Any = None, **options: Any) -> None:
        if "_lease" in self.__dict__:
            return  # __new__ found or built it

        def build(connection: Connection, own: dict[str, Any]) -> SharedClient:
            return self._built(connection, own, credential, options)

        self._registered(vault_url, credential, options, None, build)

    @classmethod
    def _registered(
        cls,
        vault_url: str | None,
        credential: Any,
        options: Mapping[str, Any],
        kind: type | None,
        build: Callable[[Connection, dict[str, Any]], SharedClient],
    ) -> Any:
        url = _address(vault_url)
        if not cls._on_hsm and _identifiers.is_managed_hsm(url):
            raise _not_on_hsm(cls, url)
        if not cls._on_vault and _identifiers.is_vault(url):
            raise _not_on_vault(cls, url)
        if options.get("cache") is not None:
            from safekv._cache_settings import check_cache

            check_cache(options["cache"])
        emulation = _emulation.active()
        if credential is None:
            credential = emulation.credential() if emulation else cls._default_credential()
        return _registry.current().client(cls._connection_kind, url, credential, options, kind, build)

    def _built(self: Self, connection: Connection, own: dict[str, Any], credential: Any, given: Any) -> Self:
        """Run the SDK's ``__init__`` on the connection's parts."""
        self._origin = (connection.url, credential, given)
        self._lease = connection.lease(self._give_back)
        self._lease.problem = self._problem(connection, own.get("api_version"))
        policy = own.get("retry_policy") or connection.policy(own)
        pipeline = {
            **own,
            "transport": self._lease,
            "retry_policy": policy,
            "per_call_policies": self._outer(own),
            "logging_policy": own.get("logging_policy") or _trace(own),
            "user_agent": " ".join(part for part in (own.get("user_agent"), f"safekv/{safekv.__version__}") if part),
        }
        pipeline.pop("cache", None)  # the SDK would hand it on to every policy
        super().__init__(connection.url, connection.tokens, **pipeline)  # type: ignore[call-arg]
        self._prepare(connection, own)
        return self

    def _prepare(self, connection: Connection, own: Mapping[str, Any]) -> None:
        """What a door adds to the SDK's client."""

    def _raw_options(self) -> dict[str, Any]:
        """What tells our policies that ``send_request`` wants its answer whatever the status.

        A pipeline of the user's own has no policy or transport that knows it.
        """
        return {} if "pipeline" in self._origin[2] else {RAW: True}

    def _outer(self, own: Mapping[str, Any]) -> list[Any]:
        """The policies around all others: ours, then the user's."""
        given = own.get("per_call_policies") or []
        return [self._translator(), *(given if isinstance(given, Iterable) else [given])]

    @classmethod
    def _translator(cls) -> Any:
        raise NotImplementedError

    @classmethod
    def _default_credential(cls) -> Any:
        """What ``credential=None`` means; the doors know."""
        raise NotImplementedError

    def _give_back(self, lease: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def _problem(cls, connection: Connection, api_version: Any) -> InvalidArgument | None:
        """What makes every call of this client hopeless, for its first call to raise.

        The SDK constructs a client with any text, object and version, and so do we.
        """
        credential = connection.tokens.credential
        asked = _emulation.active() is None
        if asked and not hasattr(credential, "get_token") and not hasattr(credential, "get_token_info"):
            return no_credential(credential)
        try:
            _identifiers.vault_url(connection.url)
            if api_version is not None:
                _identifiers.api_version(str(getattr(api_version, "value", api_version)), cls._api_versions)
        except InvalidArgument as problem:
            return problem
        return None

    def lane_status(self) -> Mapping[str, LaneStatus]:
        """How this process uses the vault: rate, queue and counts of each class of operations that was used.

        Of all clients of this vault, whatever their identity: the vault counts them together.
        """
        return self._lease.connection.traffic.status()  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds how to find the client again: no token, no socket, no cached value."""
        url, credential, options = self._origin
        check_picklable(credential)
        if type(self).__init__ is not SharedClient.__init__:
            name = type(self).__name__
            raise TypeError(f"{name} has an __init__ of its own; to be pickled it needs a __reduce__ as well.")
        return reconstruct, (type(self), url, credential, dict(options))

    def __copy__(self: Self) -> Self:
        return self

    def __deepcopy__(self: Self, memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        kind = type(self)
        return f"<{kind.__module__.partition('._')[0]}.{kind.__qualname__} {self._origin[0]}>"


class SyncSharedClient(SharedClient):
    """A shared client of the sync doors."""

    _connection_kind = SyncConnection

    @classmethod
    def _translator(cls) -> Any:
        from safekv.connection._translate import Translate

        return Translate()

    def send_request(self, request: HttpRequest, *, stream: bool = False, **kwargs: Any) -> HttpResponse:
        """The SDK's ``send_request``: returns the response, whatever its status."""
        kwargs.update(self._raw_options())
        return super().send_request(request, stream=stream, **kwargs)  # type: ignore[misc,no-any-return]

    def _give_back(self, lease: LeasedTransport) -> None:
        if lease.registry.give_back(lease):
            lease.connection.close()


def _trace(own: Mapping[str, Any]) -> Any:
    from safekv.connection._trace import RedactedTrace

    return RedactedTrace(logging_enable=bool(own.get("logging_enable", False)))


def _address(given: str | None) -> str:
    """The vault's URL; a text without a scheme as it is, for the first call to refuse.

    What is nearly a URL is refused at once: it may contain a password, which no repr is to show.
    """
    try:
        return _registry.vault_url(given)
    except InvalidArgument:
        if not isinstance(given, str) or not given.strip() or "://" in given or "@" in given:
            raise
        return given.strip()


def _not_on_hsm(kind: type, url: str) -> InvalidArgument:
    return InvalidArgument(
        f"{url} is a Managed HSM, which holds keys only: there is nothing for a {kind.__name__} in it.",
        hint="Give this client the URL of a vault (https://<name>.vault.azure.net); for keys in the HSM "
        "there is safekv.keys.KeyClient.",
    )


def _not_on_vault(kind: type, url: str) -> InvalidArgument:
    return InvalidArgument(
        f"{url} is a vault, and a {kind.__name__} is for a Managed HSM: a vault has no roles of its own, no full "
        "backup and no such settings.",
        hint="Give the URL of an HSM (https://<name>.managedhsm.azure.net). A vault's roles are Azure's (az role "
        "assignment create), and its objects are backed up one by one (backup_secret, backup_key, backup_certificate).",
    )
