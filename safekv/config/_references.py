"""References: texts that stand for a secret, and the vaults that a reference may send a token to.

::

    kv://my-vault/db-password             kv://my-vault/db-password/version
    kv://my-vault.vault.azure.cn/db-password
    @Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/secrets/db-password[/version])
    @Microsoft.KeyVault(VaultName=my-vault;SecretName=db-password[;SecretVersion=version])
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from safekv._identifiers import PUBLIC_CLOUD, VAULT_DOMAINS, object_name, vault_url, where_it_is
from safekv.errors import InvalidArgument

_APP_SERVICE = "@microsoft.keyvault("
_KV = "kv://"
_VERSION = re.compile(r"[0-9A-Za-z]{1,64}")
_VAULT_LABEL = re.compile(r"(?!.*--)[a-z][0-9a-z-]{1,22}[0-9a-z]")
_FORMS = (
    "Write kv://my-vault/db-password, @Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/secrets/"
    "db-password) or @Microsoft.KeyVault(VaultName=my-vault;SecretName=db-password)."
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A secret: the vault's canonical URL (None: the vault of the call), its name, and a version or None."""

    vault: str | None
    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Vaults:
    """The vaults that references may name: those in Key Vault's domains, and those that this process was told.

    :param default: the canonical URL of the call's own vault, if there is one.
    :param emulated: URLs by name of an emulator on this machine.
    """

    default: str | None = None
    emulated: Mapping[str, str] = field(default_factory=dict)

    def named(self, vault: str) -> str:
        """The URL of a vault that is given by its name or its host.

        :raises InvalidArgument: if it is not a host of Key Vault's.
        """
        text = vault.lower().rstrip(".")
        if text in self.emulated:
            return self.emulated[text]
        if _VAULT_LABEL.fullmatch(text):
            return f"https://{text}.{self._domain()}"
        return self.at(f"https://{vault}")

    def at(self, address: str) -> str:
        """The canonical URL, if a token may go there.

        :raises InvalidArgument: if it is not a host of Key Vault's.
        """
        url = vault_url(where_it_is(address, self.emulated))
        if url == self.default or url in self.emulated.values() or _is_key_vaults(url):
            return url
        raise InvalidArgument(
            f"{url.removeprefix('https://')} is not a host of Key Vault's, so no token is sent to it.",
            hint=f"Key Vaults are at NAME.{', NAME.'.join(VAULT_DOMAINS)}; "
            "another host can only be the vault of the call.",
        )

    def _domain(self) -> str:
        """The cloud of the call's own vault."""
        host = urlsplit(self.default or "").hostname or ""
        return next((domain for domain in VAULT_DOMAINS if host.endswith(f".{domain}")), PUBLIC_CLOUD)


def is_reference(text: object) -> bool:
    """Whether a value stands for a secret, or is meant to: one that is written wrongly is one too."""
    if not isinstance(text, str):
        return False
    return text.strip().lower().startswith(_KV) or _APP_SERVICE in text.lower()


def parse(text: str, vaults: Vaults) -> Reference:
    """The secret that a reference stands for.

    :raises InvalidArgument: if it is written wrongly, or names a host that is not Key Vault's. What was
        written is not repeated: it may be a secret.
    """
    given = text.strip()
    if given.lower().startswith(_KV):
        return _kv(given, vaults)
    if given.lower().startswith(_APP_SERVICE) and given.endswith(")"):
        return _app_service(given[len(_APP_SERVICE) : -1], vaults)
    raise _malformed("the reference has to be the whole value, up to its closing parenthesis")


def _kv(given: str, vaults: Vaults) -> Reference:
    vault, *parts = given[len(_KV) :].split("/")
    if len(parts) == 2 and not parts[1]:
        parts.pop()
    if not vault or len(parts) not in (1, 2):
        raise _malformed("after kv:// come the vault, the secret and perhaps a version")
    return Reference(vaults.named(vault), object_name(parts[0]), _version(*parts[1:]))


def _app_service(inside: str, vaults: Vaults) -> Reference:
    parts: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in inside.split(";"))):
        key, _, value = part.partition("=")
        if key.strip().lower() in parts or not value.strip():
            raise _malformed("each of its parts is KEY=VALUE, once")
        parts[key.strip().lower()] = value.strip()
    if set(parts) == {"secreturi"}:
        return _secret_uri(parts["secreturi"], vaults)
    if {"vaultname", "secretname"} <= set(parts) <= {"vaultname", "secretname", "secretversion"}:
        version = parts.get("secretversion")
        return Reference(
            vaults.named(parts["vaultname"]), object_name(parts["secretname"]), _version(version) if version else None
        )
    raise _malformed("it has either SecretUri, or VaultName and SecretName and perhaps SecretVersion")


def _secret_uri(uri: str, vaults: Vaults) -> Reference:
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise _malformed("its SecretUri cannot be read as a URL") from None
    path = [each for each in parts.path.split("/") if each]
    if parts.query or parts.fragment or len(path) not in (2, 3) or path[0].lower() != "secrets":
        raise _malformed("its SecretUri is https://VAULT/secrets/NAME, perhaps with /VERSION")
    return Reference(vaults.at(f"{parts.scheme}://{parts.netloc}"), object_name(path[1]), _version(*path[2:]))


def _version(version: str | None = None) -> str | None:
    if version is not None and not _VERSION.fullmatch(version):
        raise _malformed("its version is not one of Key Vault's")
    return version


def _is_key_vaults(url: str) -> bool:
    host = url.removeprefix("https://")  # a port would be in it, and Key Vault has none
    label, _, domain = host.partition(".")
    return domain in VAULT_DOMAINS and _VAULT_LABEL.fullmatch(label) is not None


def _malformed(problem: str) -> InvalidArgument:
    return InvalidArgument(f"This is not a reference to a secret: {problem}.", hint=_FORMS)
