"""What is in memory while a ring is open: its data keys and what is made of them. Dropped as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from safekv.envelope._encoding import to_base64url
from safekv.envelope._errors import UnknownKey
from safekv.envelope._keys import STREAM, DataKey, KeySet
from safekv.envelope._records import Openers, sealer_for, unknown_key


class Opened:
    """The keys of one version of a ring, ready for use, until ``expires`` (of the ring's monotonic clock).

    :param ends: until when they may stand in while no vault can be reached.
    :param writing: ids of the keys that encrypt, when those are not yet the newest: see ``KeyRing.add_key``.
    """

    def __init__(self, keys: KeySet, expires: float, ends: float, workers: int, writing: tuple[str, ...] = ()) -> None:
        held = [key for key in keys.keys if key.kid in writing]
        self.keys = keys
        self.expires = expires
        self.ends = ends
        self.record_key = next((key for key in held if key.algorithm != STREAM), keys.record_key)
        self.stream_key = next((key for key in held if key.algorithm == STREAM), keys.stream_key)
        self.sealer = sealer_for(self.record_key, workers)
        self.openers = Openers(keys)

    def __repr__(self) -> str:
        return "<the keys of an open ring>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("data keys do not pickle; pickle the ring")

    def stream_keys(self) -> Iterator[DataKey]:
        """All keys for streams, the likeliest first."""
        return (key for key in reversed(self.keys.keys) if key.algorithm == STREAM)

    def stream_key_of(self, thumbprint: bytes, file: str | None) -> DataKey:
        """The key for streams whose whole thumbprint this is.

        :raises UnknownKey: if the ring has none.
        """
        for key in self.stream_keys():
            if key.thumbprint == thumbprint:
                return key
        raise self._unknown(thumbprint, file)

    def _unknown(self, thumbprint: bytes, file: str | None) -> UnknownKey:
        return unknown_key(to_base64url(thumbprint), self.keys.shredded, thumbprint, file=file)

    def after_fork(self) -> None:
        """The child takes a salt of its own."""
        self.sealer.after_fork()
