"""The vault that an emulator hands out: it can be filled without a request."""

from __future__ import annotations

from collections.abc import Mapping

from safekv.emulator import _certificates, _keys, _secrets
from safekv.emulator._answers import Refused
from safekv.emulator._lifecycle import Collection
from safekv.emulator._stored import NAME
from safekv.emulator._vault import Vault

_RULES = (
    "A name is 1 to 127 letters, digits and hyphens, and not the name of a deleted secret; a value has at most "
    f"{_secrets.MOST_BYTES} bytes of UTF-8; there are at most 15 tags of up to 512 characters; nbf is not after exp."
)


class EmulatedVault(Vault):
    """A vault of an emulator; made by ``Emulator.add_vault``.

    ``tenant`` may be set: that moves the vault to another tenant, and tokens of the old one
    get a 401 with the new challenge. ``limits`` may be set as well. While ``issuer_error`` is a
    text, registered issuers give no certificates, and pending ones fail with it. While ``storage_error`` is a text, the
    backups and restores of a Managed HSM, and the checks before, fail with it.
    """

    @property
    def secrets(self) -> Collection:
        return self.collection(_secrets.KIND)

    @property
    def certificates(self) -> Collection:
        return self.collection(_certificates.KIND)

    @property
    def keys(self) -> Collection:
        return self.collection(_keys.KIND)

    def set_secret(
        self,
        name: str,
        value: str,
        *,
        content_type: str | None = None,
        tags: Mapping[str, str] | None = None,
        enabled: bool = True,
        not_before: int | None = None,
        expires_on: int | None = None,
        managed: bool = False,
    ) -> str:
        """Store a version without a request, and return its identifier (a URL).

        Times are in seconds since 1970. ``managed`` makes it look like a certificate's secret.
        ``ValueError`` if the service would refuse it; the emulator's own rules are the service's.
        """
        attributes = {"enabled": enabled, "nbf": not_before, "exp": expires_on}
        document = {"value": value, "contentType": content_type, "tags": tags and dict(tags), "attributes": attributes}
        with self.surroundings.lock:
            try:
                if not NAME.fullmatch(name):
                    raise Refused("400_name")
                now = self.surroundings.clock.time()
                stored, version = _secrets.store(self, name, document, now, managed=managed)
            except Refused as refused:
                raise ValueError(f"the vault {self.name} refuses the secret {name!r}: {refused}. {_RULES}") from None
        return f"{self.url}/secrets/{stored.name}/{version.id}"
