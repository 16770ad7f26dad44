"""The rings that files bring along (``encrypt --embed-ring``), where no other ring is given.

Such a ring says itself which keys open it, and whoever wrote the file chose them: only keys of ``--kek``, or those in
the vault of AZURE_KEY_VAULT_URL, are asked. That a key of ours opens it does not prove that the file is ours.
"""

from __future__ import annotations

import os
import stat
from typing import IO, Any

import click

from safekv.cli._rings import vault_calls
from safekv.envelope import Encryptor, KeyRing
from safekv.envelope._preamble import embedded_ring


class GivenRing:
    """One ring for all files."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        ring.opened(bulk=True)  # one clear error, not one for each file
        self._box = Encryptor(ring)

    def box_for(self, source: str) -> Encryptor:
        """What decrypts or encrypts that file."""
        return self._box

    def box_and_rest(self, stream: IO[bytes]) -> tuple[Encryptor, Any]:
        """What decrypts or encrypts the stream, and the stream from its beginning."""
        return self._box, stream

    def vault_calls(self) -> int:
        """How many requests were sent to the vaults."""
        return vault_calls(self._ring)

    def close(self) -> None:
        """Drop the keys."""
        self._ring.close()


class EmbeddedRings:
    """The ring of each file; each is opened once."""

    def __init__(self, keks: tuple[str, ...]) -> None:
        self._keks = keks
        self._rings: dict[str, KeyRing] = {}

    def box_for(self, source: str) -> Encryptor:
        """What decrypts that file."""
        if not stat.S_ISREG(os.stat(source).st_mode):  # it would have to be read twice
            raise click.ClickException(f"{source} is no regular file; give it as standard input (-), or give --ring.")
        with open(source, "rb") as file:
            text, _ = embedded_ring(file.read, source)
        return self._box(text, source)

    def box_and_rest(self, stream: IO[bytes]) -> tuple[Encryptor, Any]:
        """What decrypts the stream, and the stream from its beginning."""
        text, start = embedded_ring(stream.read)
        return self._box(text, "Standard input"), _Again(start, stream)

    def vault_calls(self) -> int:
        """How many requests were sent to the vaults."""
        return vault_calls(*self._rings.values())

    def close(self) -> None:
        """Drop the keys."""
        for ring in self._rings.values():
            ring.close()

    def _box(self, text: str, source: str) -> Encryptor:
        if not text:
            raise click.ClickException(f"{source} has no ring in it (encrypt --embed-ring); give it with --ring.")
        ring = self._rings.get(text)
        if ring is None:
            ring = self._rings[text] = KeyRing(text, *self._keks)
        return Encryptor(ring)


class _Again:
    """A stream from its beginning, of which a part has been read."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start, self._rest = start, rest

    def read(self, count: int) -> bytes:
        """At most so many bytes."""
        if not self._start:
            return self._rest.read(count)
        data, self._start = self._start[:count], self._start[count:]
        return data
