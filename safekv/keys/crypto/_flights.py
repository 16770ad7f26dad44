"""One request for a key at a time, however many threads ask for it. ``aio/_flights.py`` is its twin."""

from __future__ import annotations

import threading
from collections.abc import Callable

from safekv.keys.crypto._keystore import KeyStore, Known, Name, Turn


class Flight:
    """A key that one thread is fetching for all; it has ``timeout`` seconds.

    :ivar known: what it has brought; None if it has not: then there is an ``error``, or its
        thread was interrupted, which is for that thread alone.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.ended = threading.Event()
        self.known: Known | None = None
        self.error: Exception | None = None


def fetch_once(store: KeyStore[Flight], name: Name, fetch: Callable[[], Known], turn: Turn) -> Known:
    """``fetch()``, or the result of whoever is doing so in another thread."""
    while True:
        with store.lock:
            flight = store.flights.get(name)
            if flight is None:
                flight = store.flights[name] = Flight(turn.timeout)
                break
        if not flight.ended.wait(turn.timeout):
            raise turn.too_late()
        if flight.known is not None:
            return flight.known
        if flight.error is not None and flight.timeout >= turn.timeout:
            raise flight.error  # else it may have failed only for want of the time that we still have
    return _lead(store, name, fetch, flight)


def _lead(store: KeyStore[Flight], name: Name, fetch: Callable[[], Known], flight: Flight) -> Known:
    try:
        flight.known = known = store.keep(name, fetch())
        return known
    except Exception as error:
        flight.error = error
        raise
    finally:
        with store.lock:
            if store.flights.get(name) is flight:
                del store.flights[name]
        flight.ended.set()
