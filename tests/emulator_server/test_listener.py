"""HTTP over loopback sockets, with and without TLS, before any vault comes into it."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from safekv.emulator import Network, NetworkFault, Reply, Request, Response
from safekv.emulator.server._authority import Certificates, make_certificates
from safekv.emulator.server._http import MAX_BODY
from safekv.emulator.server._listener import Listener, Port, bind

pytestmark = pytest.mark.sockets


@dataclass
class Echo:
    """A service that says what it was asked, or what it was told to say."""

    authority: str = "own.authority"
    say: Reply | None = None
    asked: list[Request] = field(default_factory=list)
    doomed: deque[Network] = field(default_factory=deque)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.say or Response.json(200, {"path": request.path, "length": len(request.body)})

    def connection_fault(self) -> Network | None:
        return self.doomed.popleft() if self.doomed else None


@dataclass
class Served:
    service: Echo
    port: Port
    listener: Listener
    client: ssl.SSLContext | None

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.port.socket.getsockname()
        return host, port

    def connect(self) -> socket.socket:
        connection = socket.create_connection(self.address, timeout=5)
        return self.client.wrap_socket(connection, server_hostname="127.0.0.1") if self.client else connection

    @contextlib.contextmanager
    def http(self) -> Iterator[http.client.HTTPConnection]:
        host, port = self.address
        connection = (
            http.client.HTTPSConnection(host, port, context=self.client, timeout=5)
            if self.client
            else http.client.HTTPConnection(host, port, timeout=5)
        )
        with contextlib.closing(connection):
            yield connection


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


@pytest.fixture
def serve(certificates: Certificates) -> Iterator[Callable[..., Served]]:
    with contextlib.ExitStack() as stack:

        def start(*, tls: bool = True, **options: float) -> Served:
            listener = Listener(**options)
            port = Port(bind("127.0.0.1", 0), Echo(), certificates if tls else None)
            listener.add(port)
            stack.callback(listener.stop)
            listener.start()
            client = ssl.create_default_context(cadata=certificates.ca.decode()) if tls else None
            return Served(port.service, port, listener, client)

        yield start


@pytest.fixture(params=["tls", "plain"])
def served(serve: Callable[..., Served], request: pytest.FixtureRequest) -> Served:
    return serve(tls=request.param == "tls")


def _get(connection: http.client.HTTPConnection, path: str = "/") -> tuple[int, bytes]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def test_a_connection_serves_many_requests(served: Served) -> None:
    with served.http() as connection:
        for number in range(5):
            connection.request("PUT", f"/secrets/{number}?api-version=7.4", b"x" * number, {"X-Mixed-Case": "Value"})
            answer = json.load(connection.getresponse())
            assert answer == {"path": f"/secrets/{number}", "length": number}
    assert served.port.connections == 1
    last = served.service.asked[-1]
    assert (last.method, last.query, last.headers["x-mixed-case"]) == ("PUT", {"api-version": "7.4"}, "Value")
    assert last.authority == f"127.0.0.1:{served.address[1]}"


def test_the_path_stays_encoded_and_the_last_value_of_a_parameter_counts(served: Served) -> None:
    with served.http() as connection:
        _get(connection, "/secrets/a%2Fb?x=1&x=2&empty=")
    assert served.service.asked[0].path == "/secrets/a%2Fb"
    assert served.service.asked[0].query == {"x": "2", "empty": ""}


def test_without_a_host_the_port_speaks_for_itself(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200 OK\r\n")
    assert served.service.asked[0].authority == "own.authority"


def test_head_has_the_length_but_no_body(served: Served) -> None:
    with served.http() as connection:
        connection.request("HEAD", "/")
        response = connection.getresponse()
        assert int(response.headers["Content-Length"]) > 0
        assert response.read() == b""
        assert _get(connection)[0] == 200


def test_no_content_has_no_length(served: Served) -> None:
    served.service.say = Response(204)
    with served.http() as connection:
        connection.request("DELETE", "/")
        response = connection.getresponse()
        assert (response.status, response.read(), response.headers.get("Content-Length")) == (204, b"", None)


def test_expect_continue_is_answered(served: Served) -> None:
    with served.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert reader.readline() == b"\r\n"
        connection.sendall(b"{}")
        assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
    assert served.service.asked[0].body == b"{}"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"Content-Length: two\r\n", 400),
        (b"Content-Length: -2\r\n", 400),
    ],
)
def test_bodies_of_no_known_length_are_refused(served: Served, head: bytes, status: int) -> None:
    with served.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n")
        response = reader.read()
    assert response.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close\r\n" in response
    assert not served.service.asked


def test_a_body_that_is_too_long_is_refused(served: Served) -> None:
    with served.http() as connection:
        connection.request("PUT", "/", b"x" * (MAX_BODY + 1))
        assert connection.getresponse().status == 413
    assert not served.service.asked


@pytest.mark.parametrize("nonsense", [b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"])
def test_nonsense_is_refused(served: Served, nonsense: bytes) -> None:
    with served.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(nonsense)
        answer = reader.read()
    assert b"200" not in answer.split(b"\r\n", 1)[0]


def test_a_line_without_an_end_is_refused(served: Served) -> None:
    with served.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(b"GET /" + b"a" * 70_000)
        with contextlib.suppress(OSError):
            assert reader.readline().startswith(b"HTTP/1.1 414 ")
    assert not served.service.asked


def test_an_echoed_header_cannot_split_an_answer(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nx-ms-client-request-id: 1\r\n Set-Cookie: b\r\n\r\n")
        connection.recv(10_000)
    assert "\n" not in served.service.asked[0].headers["x-ms-client-request-id"]


def test_a_truncated_answer_announces_all_and_sends_half(served: Served) -> None:
    served.service.say = NetworkFault(Network.TRUNCATED, Response(200, {}, b"0123456789"))
    with served.http() as connection:
        connection.request("GET", "/")
        with pytest.raises(http.client.IncompleteRead) as caught:
            connection.getresponse().read()
    assert (caught.value.partial, caught.value.expected) == (b"01234", 5)


@pytest.mark.parametrize("kind", [Network.RESET_BEFORE, Network.RESET_AFTER])
def test_a_reset_sends_nothing_back(served: Served, kind: Network) -> None:
    served.service.say = NetworkFault(kind)
    with served.http() as connection:
        connection.request("GET", "/")
        with pytest.raises(ConnectionResetError):  # RemoteDisconnected is one
            connection.getresponse()


def test_a_reset_on_a_plain_socket_is_a_real_one(serve: Callable[..., Served]) -> None:
    served = serve(tls=False)
    served.service.say = NetworkFault(Network.RESET_AFTER)
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_black_hole_says_nothing_and_ends_with_the_client(served: Served) -> None:
    served.service.say = NetworkFault(Network.BLACK_HOLE)
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert _workers() == 1
    _eventually(lambda: _workers() == 0)


def test_a_slow_answer_is_slow(served: Served) -> None:
    served.service.say = Response(200, delay=0.3)
    with served.http() as connection:
        started = time.monotonic()
        assert _get(connection)[0] == 200
        assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("kind", [Network.REFUSED, Network.DNS])
def test_a_refused_connection_ends_before_tls(serve: Callable[..., Served], kind: Network) -> None:
    served = serve()
    served.service.doomed.append(kind)
    with pytest.raises(OSError), served.connect():  # an EOF or a reset, as it happens
        pass
    assert served.port.connections == 0
    with served.http() as connection:
        assert _get(connection)[0] == 200


def test_a_bad_certificate_is_shown_to_one_connection(serve: Callable[..., Served]) -> None:
    served = serve()
    served.service.doomed.append(Network.BAD_CERTIFICATE)
    with pytest.raises(ssl.SSLCertVerificationError), served.connect():
        pass
    assert served.port.connections == 0
    with served.http() as connection:
        assert _get(connection)[0] == 200


def test_somebody_who_never_begins_tls_delays_nobody(serve: Callable[..., Served]) -> None:
    served = serve(handshake_timeout=0.3)
    with socket.create_connection(served.address, timeout=5) as silent:
        with served.http() as connection:
            assert _get(connection)[0] == 200
        assert silent.recv(1) == b""  # and is sent away in the end


def test_an_idle_connection_is_closed(serve: Callable[..., Served]) -> None:
    served = serve(idle_timeout=0.2)
    with served.connect() as connection:
        assert connection.recv(1) == b""


def test_more_connections_than_allowed_wait_for_a_place(serve: Callable[..., Served]) -> None:
    served = serve(tls=False, max_connections=1)
    with served.connect() as second:
        with served.connect() as first:
            pass
        del first
        second.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert second.recv(12) == b"HTTP/1.1 200"
    with served.connect() as first, served.connect() as second:
        second.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        second.settimeout(0.3)
        with pytest.raises(TimeoutError):
            second.recv(1)
        first.close()
        second.settimeout(5)
        assert second.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("reply", [None, NetworkFault(Network.BLACK_HOLE), Response(200, delay=60.0)])
def test_stopping_is_quick_and_leaves_nothing(certificates: Certificates, tls: bool, reply: Reply | None) -> None:
    listener, service = Listener(), Echo(say=reply)
    port = Port(bind("127.0.0.1", 0), service, certificates if tls else None)
    listener.add(port)
    listener.start()
    client = ssl.create_default_context(cadata=certificates.ca.decode()) if tls else None
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            connection = socket.create_connection(port.socket.getsockname(), timeout=5)
            connection = client.wrap_socket(connection, server_hostname="127.0.0.1") if client else connection
            stack.enter_context(connection)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        silent = stack.enter_context(socket.create_connection(port.socket.getsockname(), timeout=5))
        _eventually(lambda: len(service.asked) == 5)
        started = time.monotonic()
        listener.stop()
        assert time.monotonic() - started < 2
        with contextlib.suppress(ConnectionResetError):  # if it was not even accepted yet
            assert silent.recv(1) == b""
    assert _threads() == []
    gc.collect()  # an unclosed socket would be a ResourceWarning, and that an error


def test_a_listener_that_never_started_stops_as_well() -> None:
    listener = Listener()
    listener.add(Port(bind("127.0.0.1", 0), Echo()))
    listener.stop()
    gc.collect()


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("safekv-emulator")]


def _workers() -> int:
    return _threads().count("safekv-emulator")


def _eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
