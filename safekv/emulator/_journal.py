"""What was asked and how it ended: never values, tokens, query strings or bodies."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from safekv.emulator._messages import Request

_LONGEST = 512  # characters of a client's text that are kept, so that an entry has a bound


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request and its end.

    ``status`` is None when the connection failed instead of answering; ``fault`` says why
    (``"dns"``, ``"reset-after"``, an error's id, …) and is None for an ordinary answer.
    ``time`` is the emulator's, in seconds since 1970. ``bearer``: a token was presented.
    """

    method: str
    authority: str
    path: str
    status: int | None
    time: float
    client_request_id: str | None
    operation: str | None
    fault: str | None
    bearer: bool


class Journal:
    """The latest entries, oldest first. Iterating goes over a copy, so requests may come in meanwhile."""

    def __init__(self, size: int) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=size)
        self._noted = 0
        self._lock = threading.Lock()

    def note(
        self,
        request: Request,
        *,
        time: float,
        status: int | None,
        operation: str | None,
        fault: str | None,
        bearer: bool,
    ) -> None:
        """Add an entry; see there for what the arguments mean."""
        client_request_id = request.headers.get("x-ms-client-request-id")
        entry = JournalEntry(
            method=_shortened(request.method),
            authority=_shortened(request.authority),
            path=_shortened(request.path),
            status=status,
            time=time,
            client_request_id=client_request_id and _shortened(client_request_id),
            operation=operation,
            fault=fault,
            bearer=bearer,
        )
        with self._lock:
            self._entries.append(entry)
            self._noted += 1

    def after(self, number: int) -> tuple[int, list[JournalEntry]]:
        """How many entries there have been, and those after the first ``number``, as far as they are still here."""
        with self._lock:
            new = max(0, self._noted - number)
            kept = list(self._entries)
            return self._noted, kept[max(0, len(kept) - new) :]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __iter__(self) -> Iterator[JournalEntry]:
        with self._lock:
            return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
