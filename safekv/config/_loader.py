"""``safekv.load``: the driver. ``_aloader`` is its twin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial
from itertools import count
from time import monotonic, time
from typing import TYPE_CHECKING, Any, TypeVar

from safekv._seconds import positive
from safekv.config._asking import Selection
from safekv.config._names import secret_prefix
from safekv.config._plan import Part, Plan, Wanted, load_error
from safekv.config._progress import Progress, Told
from safekv.config._request import CONCURRENCY, TIMEOUT, Request
from safekv.config._rounds import pause
from safekv.config._snapshot import Snapshot
from safekv.config._sources import Source, Sources
from safekv.config._targets import Targets
from safekv.config._typed import Model
from safekv.config._values import Config
from safekv.errors import ClientClosed, DeadlineExceeded, LoadError

if TYPE_CHECKING:
    from safekv.secrets import SecretClient
    from safekv.vault import Vault

T = TypeVar("T")


def load(
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
    sources: Iterable[Source] | None = None,
    snapshot: Snapshot | None = None,
    progress: bool | Told | None = None,
) -> Config:
    """Secrets as a read-only mapping, all at once; or one error that says all that is wrong.

    :param names: secrets to read, each by a GET of its own, which needs no permission to list; or a mapping of the
        keys that are wanted to secrets. A secret is a name in the vault (``_`` is ``-``), or a reference like
        ``kv://other-vault/name/version``.
    :param optional: names, or keys of ``names``, that may be absent; a mapping gives their defaults.
    :param prefix: with ``names``, what stands before each of them in the vault. Without, all secrets of the vault
        that begin so are read, if they are enabled and valid now; their keys are without it, in lower case.
    :param tags: without ``names``, those that have these tags.
    :param nest: the separator (``"--"``) at which keys become groups.
    :param as_env: keys as variables of an environment: ``db-password`` is ``DB_PASSWORD``.
    :param vault: a URL, a name, a ``Vault`` or a client; by default ``AZURE_KEY_VAULT_URL``.
    :param credential: as for ``SecretClient``; a ``Vault`` or a client brings its own.
    :param timeout: seconds for all of it.
    :param sources: where values may come from, the first that has one: ``"environment"``, files, mappings, ``"vault"``.
    :param snapshot: what stands in while the vault cannot be reached.
    :param progress: ``progress(done, total)`` is called after each secret, perhaps by another thread. None: a bar on
        the terminal, if there is one, rich is installed, and it takes over a second; True: at once; False: never.
    :raises LoadError: naming every key whose secret could not be read, and what to do about it.
    :raises InvalidArgument: before anything is sent, for names that no secret can have, or that are ambiguous.
    """
    request = Request(names, optional, prefix, tags, nest, as_env, timeout)
    with Clients(vault, credential, request.timeout, Sources(sources, snapshot), progress=progress) as clients:
        return clients.load(request)


def load_as(
    model: type[T],
    *,
    prefix: str = "",
    vault: str | Vault | SecretClient | None = None,
    credential: Any = None,
    timeout: float = TIMEOUT,
    sources: Iterable[Source] | None = None,
    snapshot: Snapshot | None = None,
    progress: bool | Told | None = None,
) -> T:
    """A dataclass, pydantic model or TypedDict whose fields are secrets, each read by a GET of its own.

    A field's secret has its name (``_`` is ``-``) after those of the models it is in, joined by ``--``, or what
    ``safekv.field`` says. Fields with a default, or that may be None, may be absent.

    :param prefix: what stands before all names.
    :raises LoadError: naming every field that is missing, forbidden, disabled or malformed, with its secret; without
        its value.
    :raises InvalidArgument: before anything is sent, for fields that no secret can fit.
    """
    asked = Model(model, secret_prefix(prefix))
    with Clients(
        vault, credential, positive("timeout", timeout), Sources(sources, snapshot), progress=progress
    ) as clients:
        return asked.made(clients.read(asked.wanted(clients.targets.vaults)))


class Clients:
    """The clients of one call, each with a lease that is given back at its end."""

    def __init__(
        self,
        vault: Any,
        credential: Any,
        timeout: float,
        sources: Sources | None = None,
        max_age: float | None = None,
        progress: bool | Told | None = None,
        patient: bool = True,
    ) -> None:
        from safekv.secrets import SecretClient
        from safekv.vault import Vault

        self.targets = Targets(vault, credential, SecretClient, Vault)
        self._stack = ExitStack()
        self._timeout = timeout
        self._sources = sources or Sources()
        if self.targets.credential is not None:
            self._sources.serve(self.targets.credential)
        self._made: dict[str, SecretClient] = {}
        #: What a read may be answered with; None: whatever the client's cache has.
        self._fresh: dict[str, Any] = {} if max_age is None else {"max_age": max_age}
        self._deadline: float | None = None
        self._closed = False
        self._progress = Progress(progress)
        #: Whether what could not be read is tried again while there is time; a snapshot stands in at once.
        self._patient = patient and self._sources.snapshot is None

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the leases back."""
        self._made.clear()
        self._closed = True
        self._stack.close()

    def begin(self) -> None:
        """The time runs anew."""
        self._deadline = None

    def now(self) -> float:
        """Seconds, by the clock of the clients."""
        client = next(iter(self._made.values()), self.targets.client)
        if client is None and self.targets.url is not None:
            client = self.client(self.targets.url)
        return float(client._lease.clock.monotonic()) if client is not None else monotonic()

    def client(self, url: str) -> SecretClient:
        """The client of a vault."""
        client = self._client(url)
        self._sources.serve(client._origin[1])
        return client

    def _client(self, url: str) -> SecretClient:
        if self.targets.client is not None and url == self.targets.url:
            return self.targets.client  # type: ignore[no-any-return]  # of this colour
        if url in self._made:
            return self._made[url]
        if self._closed:  # by stop(), in the middle of a refresh
            raise ClientClosed("This was stopped.")
        from safekv.secrets import SecretClient

        made: SecretClient = SecretClient(url, self.targets.credential, **self.targets.options)
        self._stack.enter_context(made)
        self._made[url] = made
        return made

    def left(self, client: SecretClient) -> float:
        """Seconds that are left."""
        now: float = client._lease.clock.monotonic()
        if self._deadline is None:
            self._deadline = now + self._timeout
        return max(0.001, self._deadline - now)

    def load(self, request: Request) -> Config:
        """What is asked for, read."""
        return request.result(self.read(self.wanted(request)))

    def wanted(self, request: Request) -> list[Wanted]:
        """The secrets that are asked for: by name, or those that a list has."""
        if request.selection is None:
            return request.wanted(self.targets.vaults)
        return request.selection.wanted(self.listed(request.selection))

    def read(self, wanted: Iterable[Any]) -> Plan:
        """Read all that is wanted; of several vaults at once."""
        plan = Plan(wanted, self.targets.vaults, self._sources)
        works = [(part, self.client(part.url)) for part in plan.parts]
        reads = [
            partial(_read, part, client, self.left(client), self._fresh, self._progress.one, self._patient)
            for part, client in works
        ]
        with self._progress.over(plan.size):
            if len(reads) == 1:
                reads[0]()
            elif reads:
                with ThreadPoolExecutor(plan.workers, thread_name_prefix="safekv-load") as pool:
                    for under_way in [pool.submit(copy_context().run, read) for read in reads]:
                        under_way.result()
        if self._sources.snapshot is not None:
            self._sources.snapshot.apply(plan, works[0][1]._lease.clock.time() if works else time())
        return plan

    def listed(self, selection: Selection) -> list[str]:
        """The names in the vault's list that are selected.

        :raises LoadError: if it cannot be listed.
        """
        if not self._sources.vault:
            failure = self._sources.missing(selection.prefix)
            raise load_error("", {selection.said(): (failure, "a vault's list")})
        client = self.client(self.targets.needed())
        now, found = client._lease.clock.time(), []
        try:
            for page in client.list_properties_of_secrets(timeout=self.left(client)).by_page():
                found += [str(each.name) for each in page if selection.takes(each, now)]
                if self.left(client) <= 0.001:
                    raise DeadlineExceeded("The list of secrets was not complete in time.", transient=True)
        except Exception as error:
            host = self.targets.host()
            raise load_error(host, {selection.said(): (error, f"the list of {host}")}) from None
        return found


def _read(
    part: Part,
    client: SecretClient,
    seconds: float,
    fresh: Mapping[str, Any],
    answered: Callable[[], None],
    patient: bool,
) -> None:
    """``get_many`` over the part's slots, in rounds while there is hope and time.

    What is found is kept, whatever else fails: it may be malformed.
    """
    from safekv.secrets._many import Load, get_many

    now, seen = client._lease.clock.monotonic, set()
    deadline = now() + seconds

    def read(slot: str, *, timeout: float) -> Any:
        name, version = part.slots[slot]
        try:
            secret = part.found[slot] = client.get_secret(name, version, timeout=timeout, **fresh)
            return secret
        finally:
            if slot not in seen:
                seen.add(slot)
                answered()

    needed, optional, cause = sorted(part.needed), part.optional(), None
    for rounds in count():
        load = Load(part.host, needed, optional, max(0.001, deadline - now()), CONCURRENCY, now, cause)
        try:
            get_many(load, read)
        except LoadError as error:
            part.failures, cause = error.failures, load.cause
        else:
            part.failures = {}
            return
        wait = pause(part.host, part.failures.values(), rounds, deadline - now()) if patient else None
        if wait is None:
            return
        client._lease.sleep(wait)
        needed, optional = ([slot for slot in slots if slot in part.failures] for slots in (needed, optional))
