"""The vault that an emulator hands out: it can be filled, and opened to somebody, without a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from safekv.emulator import _certificates, _keys, _role_definitions, _secrets
from safekv.emulator._access import AccessPolicy, RoleAssignment
from safekv.emulator._access_needs import PERMISSIONS
from safekv.emulator._answers import Refused
from safekv.emulator._arm_resource import VaultResource, changed
from safekv.emulator._directory import id_of
from safekv.emulator._lifecycle import Collection
from safekv.emulator._local_scopes import is_scope
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

    def use_roles(self, rbac: bool) -> None:
        """Have roles (Azure RBAC) decide, or access policies; at once."""
        with self.surroundings.lock:
            resource = self._managed()
            resource.rules.begin_with(resource.rules.current._replace(rbac=rbac))

    def allow(self, oid: str, permissions: Mapping[str, Iterable[str]]) -> None:
        """Add permissions by collection (``{"secrets": ["get"]}``) to the access policy of this object id; at once."""
        given = {collection: _permissions(collection, listed) for collection, listed in permissions.items()}
        with self.surroundings.lock:
            rules = self._managed().rules
            policies = changed("add", rules.current.policies, (AccessPolicy(self.tenant, oid, given),))
            rules.begin_with(rules.current._replace(policies=policies))

    def assign(self, oid: str, role: str, scope: str | None = None) -> None:
        """Give this object id a role, by its name or id, on the vault or another ``scope``; at once.

        A Managed HSM has local roles, and the scopes ``/`` (default), ``/keys`` and ``/keys/<key>``.
        """
        if self.hsm:
            self._assign_locally(oid, role, scope or "/")
            return
        grants = self.surroundings.grants
        definition = grants.find(role)
        if definition is None:
            raise ValueError(
                f"role={role!r} is unknown; known: {', '.join(each.name for each in grants.roles.values())}"
            )
        with self.surroundings.lock:
            where = scope or self._managed().id
            name = id_of(f"{where} {definition.id} {oid}".lower())
            grants.begin_with(RoleAssignment(name, definition.id, oid, where))

    def _assign_locally(self, oid: str, role: str, scope: str) -> None:
        with self.surroundings.lock:
            known = {**_role_definitions.BUILT_IN, **self.administration.definitions}
            found = [key for key, each in known.items() if role.lower() in (key, each["role_name"].lower())]
            if not found:
                names = ", ".join(each["role_name"] for each in known.values())
                raise ValueError(f"role={role!r} is no local role of {self.name!r}; known: {names}")
            if not is_scope(scope):
                raise ValueError(f"scope must be '/', '/keys' or one key such as '/keys/app', not {scope!r}")
            self.administration.assign(oid, found[0], scope)

    def _managed(self) -> VaultResource:
        if self.arm is None:
            raise ValueError(f"{self.name!r} is a Managed HSM: access policies and roles of Azure mean nothing to it")
        return self.arm


def _permissions(collection: str, listed: Iterable[str]) -> tuple[str, ...]:
    if collection not in PERMISSIONS:
        raise ValueError(f"permissions are on {', '.join(PERMISSIONS)}, not on {collection!r}")
    known = {each.lower(): each for each in PERMISSIONS[collection]}
    given: list[object] = [listed] if isinstance(listed, str) else list(listed)
    for each in given:
        if not isinstance(each, str) or each.lower() not in known:
            raise ValueError(f"{each!r} is no permission on {collection}; known: {', '.join(known.values())}")
    return tuple(known[str(each).lower()] for each in given)
