"""The key ring: data keys that encrypt locally, wrapped by keys that never leave their vault."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from safekv.envelope._allowed import AllowedKeys, allowed
from safekv.envelope._base import Flow, RingBase, read_document
from safekv.envelope._keys import STREAM, XAES, check_record_algorithm, new_keys
from safekv.envelope._opened import Opened
from safekv.envelope._settings import RingSettings
from safekv.envelope._wrapping import Wrapper, checked, sealing


class KeyRing(RingBase):
    """Data keys, and the wrapped form in which they are stored.

    :param document: what :meth:`to_json` gave.
    :param keks: the key-encryption keys; one that works is enough to use the ring, all are needed to change it.
    :param allow: addresses of the keys that may be asked to open the ring, as ``https://host/keys/name``. The ring
        itself says which key wrapped it, so it must not decide this.
    :raises InvalidRing: if it is no ring.
    :raises InvalidArgument: if there is no key or nothing is allowed.

    Nothing is asked of a vault until a key is needed. The keys are then in memory for ``settings.ttl``, and
    one thread at a time fetches them. A ring pickles, without its keys.
    """

    @classmethod
    def create(
        cls,
        *keks: Wrapper,
        algorithm: str | None = None,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """A ring with new keys, which every one of ``keks`` has wrapped, and unwrapped again to see that it can.

        Save it before what it encrypts matters.

        :param algorithm: of records: ``XAES-256-GCM``, or ``A256GCM`` for readers that know only that.
        :raises WrapCheckFailed: if a key does not give back what it wrapped.
        """
        keys = new_keys(XAES if algorithm is None else algorithm, clock.time())
        document = run(sealing(keys, checked(keks)))
        allow = allowed([it.kid for it in document.recipients])
        ring = cls(document, *keks, allow=allow, settings=settings, clock=clock, random=random)
        ring._origin = None
        ring._use(keys)
        return ring

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *keks: Wrapper,
        allow: Iterable[str] | AllowedKeys,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """The ring that :meth:`save` wrote. The parameters are those of the class."""
        return cls(read_document(path), *keks, allow=allow, settings=settings, clock=clock, random=random)

    def _open(self) -> Opened:
        with self._lock:  # single flight: who waited finds them opened
            return self._fresh() or run(self._reopening())

    def add_key(self, algorithm: str | None = None) -> tuple[str, str]:
        """New keys, for records and for streams; the ones before only decrypt from then on. Returns the new ids.

        The new keys encrypt as soon as the ring has been written down (:meth:`save`, :meth:`to_json`): what is
        encrypted under a key that nobody wrote down is lost with the process. Readers in other processes need
        the new version of the ring.

        :param algorithm: of records; by default that of the present key.
        :raises InvalidArgument: if not all of the ring's keys were given, or it is full.
        """
        with self._lock:
            before = self.opened()
            chosen = check_record_algorithm(algorithm or before.record_key.algorithm)
            keys = before.keys.with_new((chosen, STREAM), self._clock.time())
            run(self._changing(before, keys))
        return keys.record_key.kid, keys.stream_key.kid

    def retire(self, key_id: str) -> None:
        """See that a key does not encrypt any more. If it still does, a new one takes its place, as in :meth:`add_key`.

        :raises InvalidArgument: for an id that the ring has not.
        """
        with self._lock:
            before = self.opened()
            key = before.keys.find(key_id)
            if key.retired is None:
                run(self._changing(before, before.keys.with_new((key.algorithm,), self._clock.time())))

    def shred(self, key_id: str) -> None:
        """Forget a key: nothing that it encrypted can be read again, once all copies of the ring are replaced.

        Older versions of the ring still hold it, and so do processes that have the ring open, for their ``ttl``.

        :raises InvalidArgument: for a key that still encrypts, and for an id that the ring has not.
        """
        with self._lock:
            before = self.opened()
            run(self._changing(before, self._shreddable(before, key_id)))

    def rewrap(self, *keks: Wrapper) -> None:
        """Have the ring opened by ``keks`` from now on, in that order, and by no other key. Its keys stay as they are.

        Asks one of the former keys once. Save the ring afterwards.

        :raises RingUnavailable: if none of the former keys opens the ring.
        """
        with self._lock:
            run(self._rewrapping(keks))

    def close(self) -> None:
        """Drop the keys. Python cannot overwrite them; they are gone when their memory is used again."""
        self._drop()

    def __enter__(self) -> KeyRing:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def run(flow: Flow) -> Any:
    """Carry out what ``flow`` asks for, one call after the other."""
    try:
        call = next(flow)
        while True:
            try:
                answer = call()
            except Exception as error:  # noqa: PERF203  (the flow decides what a failure means)
                call = flow.throw(error)
            else:
                call = flow.send(answer)
    except StopIteration as done:
        return done.value
