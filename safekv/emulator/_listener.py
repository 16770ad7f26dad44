"""Listening sockets and the threads behind them: accept, TLS handshake, and an end that leaves nothing.

One thread accepts for any number of ports; each connection gets a worker thread, which also does
the TLS handshake, so that a slow or hostile client delays nobody else.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
from collections import deque
from dataclasses import dataclass

from safekv._clock import SYSTEM_CLOCK
from safekv.emulator._authority import Certificates
from safekv.emulator._http import Exchange
from safekv.emulator._messages import Network
from safekv.emulator._services import Service

_BACKLOG = 128
_BLOCK = 4_096  # bytes
_MOST_BLOCKS = 100
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Port:
    """A listening socket and who answers on it; without ``certificates`` it is plain HTTP.

    ``connections`` counts those accepted, with TLS those that finished their handshake.
    """

    socket: socket.socket
    service: Service
    certificates: Certificates | None = None
    connections: int = 0


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on this address; port 0 takes any free one.

    :raises OSError: if the address is taken or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


class Listener:
    """Serves its ports from :meth:`start` until :meth:`stop`.

    At most ``max_connections`` are open at a time; more wait in the kernel's queue until one ends.
    An idle connection is closed after ``idle_timeout`` seconds.
    """

    def __init__(
        self, *, max_connections: int = 512, handshake_timeout: float = 10.0, idle_timeout: float = 120.0
    ) -> None:
        self._stopping = threading.Event()
        self._handshake_timeout = handshake_timeout
        self._idle_timeout = idle_timeout
        self._slots = threading.BoundedSemaphore(max_connections)
        self._lock = threading.Lock()
        self._ports: list[Port] = []
        self._new: deque[Port] = deque()  # those that the accepting thread does not know yet
        self._workers: dict[threading.Thread, socket.socket] = {}
        self._wake, self._waker = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept_all, name="safekv-emulator-accept", daemon=True)

    def add(self, port: Port) -> None:
        """Serve one more port."""
        port.socket.setblocking(False)
        self._ports.append(port)
        self._new.append(port)
        self._waker.send(b"\0")

    def start(self) -> None:
        self._acceptor.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Close every socket and wait for every thread, ``timeout`` seconds at most in all."""
        deadline = SYSTEM_CLOCK.monotonic() + timeout
        self._stopping.set()
        self._waker.send(b"\0")
        if self._acceptor.ident is not None:
            self._acceptor.join(timeout)
        for port in self._ports:
            port.socket.close()
        self._wake.close()
        self._waker.close()
        for worker in self._cut_all():
            worker.join(max(0.0, deadline - SYSTEM_CLOCK.monotonic()))

    # The accepting thread

    def _accept_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._stopping.is_set():
                while self._new:
                    port = self._new.popleft()
                    selector.register(port.socket, selectors.EVENT_READ, port)
                for key, _ in selector.select():
                    if isinstance(key.data, Port):
                        self._accept(key.data)
                    elif not self._stopping.is_set():
                        self._wake.recv(_BLOCK)

    def _accept(self, port: Port) -> None:
        while not self._slots.acquire(timeout=0.1):
            if self._stopping.is_set():
                return
        try:
            connection, _ = port.socket.accept()
        except OSError as error:
            self._slots.release()
            if not isinstance(error, BlockingIOError):
                self._stopping.wait(0.1)  # out of file descriptors, say: no busy loop
            return
        self._start_worker(port, connection)

    def _start_worker(self, port: Port, connection: socket.socket) -> None:
        worker = threading.Thread(target=self._serve, args=(port, connection), name="safekv-emulator", daemon=True)
        with self._lock:
            self._workers[worker] = connection
        try:
            worker.start()
        except RuntimeError:  # the system gives no more threads
            connection.close()
            self._forget(worker)

    # A connection's thread

    def _serve(self, port: Port, connection: socket.socket) -> None:
        abort = False
        try:
            connection.settimeout(self._handshake_timeout)
            secured = self._secure(port, connection)
            if secured is not None:
                connection = secured
                connection.settimeout(self._idle_timeout)
                abort = Exchange(connection, port.service, self._stopping).aborted
        except OSError:
            pass  # the client went away, or we are stopping
        finally:
            _close(connection, abort=abort)
            self._forget(threading.current_thread())

    def _secure(self, port: Port, connection: socket.socket) -> socket.socket | None:
        """The connection ready for HTTP; None if it is to fail here."""
        fault = port.service.connection_fault()
        if fault is not None and (fault is not Network.BAD_CERTIFICATE or port.certificates is None):
            _turn_away(connection)
            return None
        if port.certificates is not None:
            connection = self._handshake(port.certificates, connection, good=fault is None)
        with self._lock:
            port.connections += 1
        return connection

    def _handshake(self, certificates: Certificates, connection: socket.socket, *, good: bool) -> ssl.SSLSocket:
        context = certificates.good if good else certificates.bad
        with self._lock:  # wrapping takes the descriptor over, and stop() must find it in either place
            tls = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._workers[threading.current_thread()] = tls
        try:
            if self._stopping.is_set():
                raise ConnectionAbortedError("the server is stopping")
            tls.do_handshake()
        except BaseException:
            tls.close()
            raise
        return tls

    def _forget(self, worker: threading.Thread) -> None:
        with self._lock:
            del self._workers[worker]
        self._slots.release()

    def _cut_all(self) -> list[threading.Thread]:
        """End every connection under its worker's hands; the worker then closes it."""
        with self._lock:
            for connection in self._workers.values():
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            return list(self._workers)


def _turn_away(connection: socket.socket) -> None:
    """Close before anything is said, and hear the client out: else it would see a reset now and an end then."""
    connection.shutdown(socket.SHUT_WR)
    for _ in range(_MOST_BLOCKS):
        if not connection.recv(_BLOCK):
            return


def _close(connection: socket.socket, *, abort: bool) -> None:
    """Close politely, or with a reset instead of an end."""
    with contextlib.suppress(OSError, ValueError):
        if abort:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        elif isinstance(connection, ssl.SSLSocket):
            connection.settimeout(0)  # say goodbye, but do not wait for the answer
            connection.unwrap()
    connection.close()
