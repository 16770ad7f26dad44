"""The sync transport of a connection, and each client's lease on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit

from azure.core.pipeline.transport import HttpTransport

from safekv._clock import Clock
from safekv._identifiers import name_in_path
from safekv.connection._call import goes_out
from safekv.connection._identity import RAW
from safekv.connection._tls import trusted_bundle
from safekv.connection._writes import is_read, telling
from safekv.errors import ClientClosed, InsecureConnection, InvalidArgument

if TYPE_CHECKING:
    from azure.core.pipeline.transport import RequestsTransport


def pooled_transport(pool_size: int, options: dict[str, Any]) -> RequestsTransport:
    """azure-core's ``RequestsTransport`` on a session of ours.

    Its pool holds ``pool_size`` connections (requests keeps 10), all share one SSL context,
    and the environment is not searched for proxies at every request unless there is one.
    """
    # requests costs a tenth of a second to import: only who opens a connection pays it.
    from urllib.request import getproxies

    import requests
    from azure.core.pipeline.transport import RequestsTransport

    from safekv.connection._adapter import PooledAdapter

    proxied = bool(getproxies().keys() & {"https", "all"})
    use_env_settings = options.get("use_env_settings", proxied)
    verify = trusted_bundle(options.get("connection_verify", True))
    session = requests.Session()
    session.trust_env = use_env_settings
    adapter = PooledAdapter(pool_size, verify=verify, certificate=options.get("connection_cert"))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return RequestsTransport(
        **{**options, "session": session, "use_env_settings": use_env_settings, "connection_verify": verify}
    )


class Leased(Protocol):
    """What a lease is on: a connection."""

    url: str
    tokens: Any

    @property
    def transport(self) -> Any: ...

    @property
    def clock(self) -> Clock: ...

    def close(self) -> Any: ...


class LeasedTransport(HttpTransport[Any, Any]):
    """What one client sees of its connection's transport.

    Closing the client closes this lease; the transport itself closes with the last one. It
    sits innermost in the pipeline, so it also sees which tokens the vault refuses.
    """

    def __init__(self, connection: Leased, close: Callable[[LeasedTransport], None]) -> None:
        self.connection = connection
        self._close = close
        self.leases = 0
        self.registry: Any = None  # where the lease was taken, and is given back
        self.problem: InvalidArgument | None = None

    @property
    def connection_config(self) -> Any:
        return self._checked().connection_config  # a closed one must not open its connection again

    @property
    def clock(self) -> Clock:
        return self.connection.clock

    def open(self) -> None:
        self._checked().open()

    def __enter__(self) -> LeasedTransport:
        self._checked().__enter__()
        return self

    def send(self, request: Any, **kwargs: Any) -> Any:
        transport = self._checked()
        kwargs.pop(RAW, None)  # still there where the user's own policies are in our place
        refuse(request, self.problem, self.connection.url)
        goes_out(request)
        if is_read(request):
            response = transport.send(request, **kwargs)
        else:
            with telling(self.connection.url, request):
                response = transport.send(request, **kwargs)
        if response.status_code == 401:
            self.connection.tokens.refused(request.headers.get("Authorization"))
        if response.status_code >= 400:
            with suppress(AttributeError):  # a transport of the user's own may not allow it
                response.request = without_secrets(request)
        return response

    def sleep(self, duration: float) -> None:
        self._checked().sleep(duration)

    def close(self) -> None:
        self._close(self)

    def __exit__(self, *details: object) -> None:
        self._close(self)

    def _checked(self) -> Any:
        if self.leases <= 0:
            raise closed_error(self.connection.url)
        return self.connection.transport


def refuse(request: Any, problem: InvalidArgument | None, vault: str) -> None:
    """The last look before a request is sent: at what is wrong with its client, at its host, and the name in its path.

    The doors check names first, but ``send_request`` takes any path; and azure-core follows redirections and links to
    next pages to any host, with the body of a PUT.
    """
    if problem is not None:
        raise copy(problem)
    address = urlsplit(request.url)
    if _host(address) != _host(urlsplit(vault)):
        raise _elsewhere(address.netloc.rpartition("@")[2], vault)
    name_in_path(address.path)


def _host(address: SplitResult) -> tuple[str | None, int]:
    return address.hostname, address.port or 443


def _elsewhere(host: str, vault: str) -> InsecureConnection:
    return InsecureConnection(
        f"This request is for {host}, and a client of {vault} sends nothing there.",
        hint="A vault does not send its clients to another host. If it was a redirection or the link to a next page, "
        "look for a proxy between here and the vault; for another vault, make a client of that vault.",
    )


def without_secrets(request: Any) -> Any:
    """The request as an error may keep it: no token, no body.

    The SDK's errors hold their response, that holds its request, and all of it is pickled.
    """
    headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
    return type(request)(request.method, request.url, headers=headers)


def closed_error(url: str) -> ClientClosed:
    return ClientClosed(
        f"This client of {url} has been closed.",
        hint="Construct it again where it is used: that costs nothing, and returns the shared client. "
        "Each construction is one lease; close() or leaving `with` gives one back.",
    )
