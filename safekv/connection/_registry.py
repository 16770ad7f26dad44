"""Which connections and clients exist already. Asking for one again returns it.

The registry belongs to the process: a forked child starts with an empty one.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from safekv import _events, _identifiers
from safekv._advice import warn
from safekv._fork import on_fork
from safekv.connection import _emulation
from safekv.connection._connection import Connection
from safekv.connection._identity import Same, frozen, split_options
from safekv.connection.tokens._credential_kinds import check_credential
from safekv.errors import ManyCredentialsWarning
from safekv.errors._topic import HTTP_429

if TYPE_CHECKING:
    from safekv._cache_settings import CacheSettings
    from safekv._settings import Settings
    from safekv.connection._traffic import Traffics

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Registry:
    """Connections by (colour, vault, identity, options), each with its clients."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._cache_settings: CacheSettings | None = None
        self._cache_read = False
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """A child starts with nothing."""
        self._lock = threading.RLock()
        self._connections: OrderedDict[Hashable, Connection] = OrderedDict()
        self._sources: OrderedDict[tuple[Same, type[Connection]], Any] = OrderedDict()
        self._vaults: OrderedDict[Hashable, Any] = OrderedDict()
        self._traffics: Traffics | None = None
        self._warned: OrderedDict[str, None] = OrderedDict()

    @property
    def settings(self) -> Settings:
        """Read from the environment when the first connection is made, not at import."""
        if self._settings is None:
            from safekv._settings import from_environment

            self._settings = from_environment()
        return self._settings

    @property
    def cache_settings(self) -> CacheSettings | None:
        """The same for what clients keep, where they are not told otherwise."""
        if not self._cache_read:
            from safekv._cache_settings import cache_from_environment

            self._cache_settings, self._cache_read = cache_from_environment(), True
        return self._cache_settings

    @property
    def traffics(self) -> Traffics:
        """How each vault is being used."""
        if self._traffics is None:
            from safekv.connection._traffic import Traffics

            self._traffics = Traffics(self.settings.max_connections)
        return self._traffics

    def __len__(self) -> int:
        return len(self._connections)

    def connections(self) -> list[Connection]:
        """Those that exist now."""
        with self._lock:
            return list(self._connections.values())

    def client(
        self,
        colour: type[Connection],
        url: str,
        credential: Any,
        options: Mapping[str, Any],
        kind: type | None,
        build: Callable[[Connection, dict[str, Any]], Any],
    ) -> Any:
        """The client of this kind for these arguments, with one more lease on it.

        :param kind: the client's class; None for a client that is not to be shared.
        :param build: makes the client where there is none; called under the registry's lock.
        """
        connection_options, client_options = split_options(options)
        key = (kind, frozen(client_options))
        with self._lock:
            connection = self.connection(colour, url, credential, connection_options)
            client = connection.clients.get(key) if kind else None
            if client is None:
                client = build(connection, client_options)
                if kind:
                    connection.remember(key, client)
            client._lease.registry = self
            client._lease.leases += 1
            connection.leases += 1
            return client

    def connection(self, colour: type[Connection], url: str, credential: Any, options: Mapping[str, Any]) -> Connection:
        """The connection for these arguments; made where there is none."""
        key = (colour.colour, url, Same(credential), frozen(options))
        with self._lock:
            connection = self._connections.get(key)
            if connection is None:
                tokens = self.tokens(colour, credential)
                self._warn_of_many_credentials(colour, url, credential, options)
                connection = colour(url, tokens, options, self.settings, self.traffics)
            # Source and connection stay equally recent, or one identity could get a second source.
            _keep(self._sources, (Same(credential), colour), connection.tokens, self.settings.max_connections)
            return _keep(self._connections, key, connection, self.settings.max_connections)

    def vault(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The ``Vault`` for this key; made where there is none."""
        with self._lock:
            vault = self._vaults.get(key) or make()
            vault._leases += 1
            return _keep(self._vaults, key, vault, self.settings.max_connections)

    def give_back_vault(self, vault: Any) -> bool:
        """One lease less on a ``Vault``; True if its clients have to be closed now."""
        with self._lock:
            vault._leases = max(0, vault._leases - 1)
            if vault._leases == 0:
                _drop(self._vaults, lambda each: each is vault)
            return bool(vault._leases == 0)

    def give_back(self, lease: Any) -> bool:
        """One lease less on a client; True if the connection has to be closed now."""
        with self._lock:
            if lease.leases <= 0:
                return False
            connection: Connection = lease.connection
            lease.leases -= 1
            connection.leases -= 1
            if lease.leases == 0:
                _drop(connection.clients, lambda client: client._lease is lease)
            if connection.leases == 0:
                _drop(self._connections, lambda each: each is connection)
            return connection.leases == 0

    def tokens(self, colour: type[Connection], credential: Any) -> Any:
        """The source of tokens in front of this credential, for this colour; made where there is none."""
        check_credential(credential)
        key = (Same(credential), colour)
        with self._lock:
            source = self._sources.get(key) or colour.token_source(credential, self.tokens)
            return _keep(self._sources, key, source, self.settings.max_connections)

    def forget(self, credential: Any) -> None:
        """Let go of the tokens of a credential that was closed; connections that are open keep theirs."""
        it = Same(credential)
        with self._lock:
            for key in [key for key in self._sources if key[0] == it]:
                del self._sources[key]

    def _warn_of_many_credentials(
        self, colour: type[Connection], url: str, credential: Any, options: Mapping[str, Any]
    ) -> None:
        if _emulation.active() is not None:
            return  # nothing costs anything there
        if url in self._warned or not any(
            type(each) is colour
            and each.url == url
            and each.tokens.credential is not credential
            and not _differ(each.tokens.credential, credential)
            and each.given_transport is options.get("transport")  # apart by wish, if not
            for each in self._connections.values()
        ):
            return
        _keep(self._warned, url, None, self.settings.max_connections)
        _events.emit(_events.ManyCredentials(url.removeprefix("https://")))
        warn(
            f"Several credential objects are in use for {url}. Each has its own connections and tokens, "
            "because safekv shares nothing between identities. If they are the same identity, use one object: "
            f"safekv.identity returns the same credential for the same arguments. {HTTP_429}",
            ManyCredentialsWarning,
        )


def vault_url(given: object) -> str:
    """The canonical URL of the vault that was given, or that ``AZURE_KEY_VAULT_URL`` names.

    A name alone is the emulator's vault of this name, if ``safekv emulator`` has one in the environment.
    """
    return _identifiers.named_vault_url(os.environ.get("AZURE_KEY_VAULT_URL") if given is None else given)


_current = Registry()


def current() -> Registry:
    """The process's registry, or the one that a test has put in its place."""
    return _current


def replace(registry: Registry) -> Registry:
    """Put another registry in place (a test's); returns the one that was there."""
    global _current
    before, _current = _current, registry
    return before


def _differ(one: Any, other: Any) -> bool:
    """Whether two credentials are known to be of different identities: the emulator's say whose they are."""
    mine, theirs = getattr(one, "principal", None), getattr(other, "principal", None)
    return mine is not None and theirs is not None and mine != theirs


def _keep(entries: OrderedDict[K, V], key: K, value: V, most: int) -> V:
    """``value`` as the most recently used of at most ``most`` entries."""
    entries[key] = value
    entries.move_to_end(key)
    while len(entries) > most:
        entries.popitem(last=False)
    return value


def _drop(entries: OrderedDict[Hashable, Any], unwanted: Callable[[Any], bool]) -> None:
    for key in [key for key, value in entries.items() if unwanted(value)]:
        del entries[key]
