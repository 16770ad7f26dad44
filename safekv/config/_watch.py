"""``safekv.watch``: the driver. ``_awatch`` is its twin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from safekv.config._loader import Clients
from safekv.config._request import TIMEOUT, Request
from safekv.config._sources import Source, Sources
from safekv.config._watching import INTERVAL, JITTER, Watched

if TYPE_CHECKING:
    from safekv.secrets import SecretClient
    from safekv.vault import Vault


class Watch(Watched):
    """A live mapping; ``stop()``, or leaving ``with``, ends its refreshes and leaves the last values."""

    _clients: Clients | None = None

    def start(self, clients: Clients) -> None:
        """Read it all, then follow it from the background."""
        from safekv.connection._background import background

        self._clients = clients
        try:
            self._round(clients)
        except BaseException:
            self.stop()
            raise
        background().repeat(self)

    def stop(self) -> None:
        """End it. A refresh that is under way changes nothing, or still does."""
        from safekv.connection._background import background

        background().cancel(self)
        clients, self._clients = self._clients, None
        if clients is not None:
            clients.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *details: object) -> None:
        self.stop()

    def remaining(self) -> float:
        """Seconds until the next refresh."""
        clients = self._clients
        return self.remaining_at(clients.now()) if clients is not None else INTERVAL

    def __call__(self) -> None:
        """One refresh."""
        clients = self._clients
        if clients is None:
            return
        try:
            self._round(clients)
        except Exception as error:
            self.failed(error)

    def _round(self, clients: Clients) -> None:
        clients.begin()
        selection = self._request.selection
        if selection is not None:
            self.began(clients.now())
            self.took(clients.read(selection.wanted(clients.listed(selection))), complete=True)
            return
        wanted = self._request.wanted(clients.targets.vaults)
        self.known(wanted)
        self.took(clients.read(self.due(wanted, clients.now())), complete=False)


def watch(
    names: Iterable[str] | Mapping[str, str] | None = None,
    *,
    optional: Iterable[str] | Mapping[str, Any] = (),
    prefix: str | None = None,
    tags: Mapping[str, str] | None = None,
    nest: str | None = None,
    as_env: bool = False,
    vault: str | Vault | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
    interval: float = INTERVAL,
    intervals: Mapping[str, float] | None = None,
    jitter: float = JITTER,
    sources: Iterable[Source] | None = None,
) -> Watch:
    """A mapping as of ``load`` that is read again in the background, and changes all at once or not at all.

    A refresh that fails changes nothing; it is logged and is ``last_error``. Start it in each worker, after a fork.

    :param timeout: seconds for each reading; the first is done before this returns.
    :param interval: seconds between readings; each is up to a part ``jitter`` earlier, at random.
    :param intervals: others, by key.
    :param sources: as for ``load``; local ones are read once, and what they have stays as it is.
    :raises LoadError: (the first reading) as ``load``.
    """
    request = Request(names, optional, prefix, tags, nest, as_env, timeout)
    watched = Watch(request, interval, intervals, jitter)
    clients = Clients(vault, credential, request.timeout, Sources(sources), max_age=0.0, progress=False, patient=False)
    watched.start(clients)
    return watched
