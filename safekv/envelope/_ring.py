"""The key ring: data keys that encrypt locally, wrapped by keys that never leave their vault."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import safekv
from safekv._clock import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from safekv.envelope._access import wrappers
from safekv.envelope._allowed import AllowedKeys, allowed
from safekv.envelope._base import Flow, RingBase, closing, read_document
from safekv.envelope._keys import STREAM, XAES, check_record_algorithm, new_keys
from safekv.envelope._opened import Opened
from safekv.envelope._process import OPEN_RINGS
from safekv.envelope._settings import RingSettings
from safekv.envelope._signing import signers_of, signing, verifying
from safekv.envelope._turns import turn
from safekv.envelope._wrapping import Wrapper, sealing

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey

    from safekv.keys.crypto import CryptographyClient
    from safekv.secrets import SecretClient
    from safekv.vault import Vault

    Key = str | KeyVaultKey | CryptographyClient
    Kek = Key | Wrapper


class KeyRing(RingBase):
    """Data keys, and the wrapped form in which they are stored.

    :param document: what :meth:`to_json` gave.
    :param keks: the key-encryption keys: ids (``https://my-vault.vault.azure.net/keys/app-kek``), ``KeyVaultKey``,
        ``CryptographyClient``, or a ``Wrapper`` of your own. One that works is enough to use the ring, all are needed
        to change it. None at all: those that the ring names, as far as they are allowed.
    :param credential: as for ``KeyClient``, for keys that are given by id; None is the process's
        ``DefaultAzureCredential``.
    :param allow: addresses of the keys that may be asked to open the ring, as ``https://host/keys/name``; by default
        those of ``keks``, and without any, keys in the vault of ``AZURE_KEY_VAULT_URL``. The ring itself says which
        key wrapped it, so it must not decide this.
    :raises InvalidRing: if it is no ring.
    :raises InvalidArgument: if there is no key or nothing is allowed.

    Nothing is asked of a vault until a key is needed. The keys are then in memory for ``settings.ttl``, and
    one thread at a time fetches them. A ring pickles, without its keys.
    """

    @classmethod
    def create(
        cls,
        *keks: Kek,
        credential: Any = None,
        algorithm: str | None = None,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """A ring with new keys, which every one of ``keks`` has wrapped, and unwrapped again to see that it can.

        Save it before what it encrypts matters. RSA keys wrap with ``RSA-OAEP-256``, here; symmetric keys in a
        Managed HSM with ``A256KW``, there. Unwrapping is always the vault's. Two keys in two vaults keep the ring
        readable while one vault cannot be reached.

        :param algorithm: of records: ``XAES-256-GCM``, or ``A256GCM`` for readers that know only that.
        :raises WrapCheckFailed: if a key does not give back what it wrapped.
        """
        keys = new_keys(XAES if algorithm is None else algorithm, clock.time())
        ready = wrappers(keks, credential, cls._vault_key)
        document = run(sealing(keys, ready))
        allow = allowed([it.kid for it in document.recipients])
        ring = cls(document, *ready, allow=allow, settings=settings, clock=clock, random=random)
        ring._origin = None
        ring._use(keys)
        return ring

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *keks: Kek,
        credential: Any = None,
        allow: Iterable[str] | AllowedKeys | None = None,
        settings: RingSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> KeyRing:
        """The ring that :meth:`save` wrote. The parameters are those of the class."""
        document = read_document(path)
        return cls(document, *keks, credential=credential, allow=allow, settings=settings, clock=clock, random=random)

    @classmethod
    def from_secret(
        cls,
        name: str,
        *keks: Kek,
        vault: str | Vault | SecretClient | None = None,
        credential: Any = None,
        allow: Iterable[str] | AllowedKeys | None = None,
        settings: RingSettings | None = None,
    ) -> KeyRing:
        """The ring that :meth:`to_secret` wrote, read from the vault and not from a cache.

        :param vault: where the secret is: a URL, a name, a ``Vault``, a ``SecretClient``; None is
            ``AZURE_KEY_VAULT_URL``.
        :param credential: for the secret and for keys that are given by id.
        """
        from safekv.envelope._vault import secrets_in

        with secrets_in(vault, credential) as client:
            text = client.get_secret(name, max_age=0).value or ""
        return cls(text, *keks, credential=credential, allow=allow, settings=settings)

    @staticmethod
    def _vault_key(key: Any, credential: Any) -> Any:
        from safekv.envelope._vault import VaultKey

        return VaultKey(key, credential)

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _open(self, bulk: bool) -> Opened:
        with ExitStack() as turns:  # single flight: who waited finds them opened
            turns.enter_context(self._held())
            fresh = self._fresh()
            if fresh is not None:
                return fresh
            if self._asker:
                others = OPEN_RINGS.turn(self._same())
                turns.enter_context(turn(others.lock, self._settings.wait_timeout))
            if bulk:
                turns.enter_context(safekv.bulk())
            opened: Opened = run(self._reopening())
            return opened

    def to_secret(
        self,
        name: str,
        *,
        vault: str | Vault | SecretClient | None = None,
        credential: Any = None,
        overwrite: bool = False,
    ) -> None:
        """Write :meth:`to_json` into a secret, as a new version of it. Other parameters as for :meth:`from_secret`.

        A vault cannot write "if nobody else has": of processes that write at the same moment at least the one whose
        version is the newest finds out, afterwards, and raises ``RingConflict``. The vault keeps all of the versions.
        To see the others takes the permission to list secrets; without it only a newer version is noticed.

        :raises RingConflict: if the secret holds anything but the version that this ring was made from, or if somebody
            else wrote it meanwhile.
        :raises InvalidArgument: if the ring is longer than a secret can be, 25,600 bytes: a full one for many.
        """
        from safekv.envelope._vault import secrets_in, versions_of

        with self._held(), secrets_in(vault, credential) as client:
            run(self._storing(client, versions_of, name, overwrite))

    def add_key(self, algorithm: str | None = None) -> tuple[str, str]:
        """New keys, for records and for streams; the ones before only decrypt from then on. Returns the new ids.

        The new keys encrypt as soon as the ring has been written down (:meth:`save`, :meth:`to_secret`,
        :meth:`to_json`): what is encrypted under a key that nobody wrote down is lost with the process. Readers in
        other processes need the new version of the ring.

        :param algorithm: of records; by default that of the present key.
        :raises InvalidArgument: if not all of the ring's keys were given, or it is full.
        """
        with self._held(), safekv.bulk():
            before = self.opened()
            chosen = check_record_algorithm(algorithm or before.record_key.algorithm)
            keys = before.keys.with_new((chosen, STREAM), self._clock.time())
            run(self._changing(before, keys))
        return keys.record_key.kid, keys.stream_key.kid

    def retire(self, key_id: str) -> None:
        """See that a key does not encrypt any more. If it still does, a new one takes its place, as in :meth:`add_key`.

        :raises InvalidArgument: for an id that the ring has not.
        """
        with self._held(), safekv.bulk():
            before = self.opened()
            key = before.keys.find(key_id)
            if key.retired is None:
                run(self._changing(before, before.keys.with_new((key.algorithm,), self._clock.time())))

    def shred(self, key_id: str) -> None:
        """Forget a key: nothing that it encrypted can be read again, once all copies of the ring are replaced.

        Older versions of the ring still hold it, and so do processes that have the ring open, for their ``ttl``.

        :raises InvalidArgument: for a key that still encrypts, and for an id that the ring has not.
        """
        with self._held(), safekv.bulk():
            before = self.opened()
            run(self._changing(before, self._shreddable(before, key_id)))

    def rewrap(self, *keks: Kek, credential: Any = None) -> None:
        """Have the ring opened by ``keks`` from now on, in that order, and by no other key. Its keys stay as they are.

        Asks one of the former keys once, and each of the new ones. Save the ring afterwards.

        :raises RingUnavailable: if none of the former keys opens the ring.
        """
        with self._held(), safekv.bulk():
            run(self._rewrapping(keks, credential))

    def sign(self, key: Key, *, credential: Any = None) -> str:
        """A signature of the ring as it is now, by a signing key in a vault: a detached JWS, to be kept beside it.

        Wrapping with RSA needs only a public key, so anybody can make a ring that your vault opens; this shows who has
        made it. An older version of the ring keeps its signature.

        :raises InvalidArgument: if the key is neither RSA nor on the curve P-256, P-384 or P-521.
        """
        signer = self._vault_key(key, credential)
        try:
            signature: str = run(signing(signer, self.wrapped()))
            return signature
        finally:
            signer.close()

    def verify(self, signature: str, *keys: Key, credential: Any = None) -> str:
        """Check a signature from :meth:`sign`, here, with the public key. Returns the id of the key that signed.

        :param keys: who may have signed; without a version, any version of the key.
        :raises BadSignature: if this version of the ring was not signed by it.
        :raises KeyNotAllowed: if it claims to be by another key.
        """
        signers = signers_of(keys, credential, self._vault_key)
        try:
            kid: str = run(verifying(signers, self.wrapped(), signature))
            return kid
        finally:
            run(closing(signers))

    def close(self) -> None:
        """Drop the keys. Python cannot overwrite them; they are gone when their memory is used again."""
        self._drop()
        run(closing(self._keks))

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
