"""Which vault a call is about, with which identity, and which other vaults its references may name."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from safekv._identifiers import emulated_vaults, named_vault_url
from safekv.config._plan import no_vault
from safekv.config._references import Vaults
from safekv.errors import InvalidArgument


class Targets:
    """What ``vault=`` and ``credential=`` mean.

    :ivar url: of the call's own vault; None if none is given, which is well if all references name theirs.
    :ivar client: its client, if one was given.
    :ivar credential: for the clients that are made; options too.
    """

    def __init__(self, vault: Any, credential: Any, client_class: type, vault_class: type | None) -> None:
        self.client: Any = None
        self.credential, self.options = credential, {}
        if vault_class is not None and isinstance(vault, vault_class):
            vault = vault.secrets  # type: ignore[attr-defined]  # a Vault
        if isinstance(vault, client_class):
            self.client = vault
            self.url, own, self.options = vault._origin  # type: ignore[attr-defined]  # a client of ours
            self.credential = own if credential is None else self._one_identity(own, credential)
        elif vault is None:
            given = os.environ.get("AZURE_KEY_VAULT_URL")
            self.url = named_vault_url(given) if given else None
        elif isinstance(vault, str):
            self.url = named_vault_url(vault)
        else:
            raise InvalidArgument(
                f"vault must be a URL, a Vault or a client, not {type(vault).__name__}.",
                hint="vault='https://my-vault.vault.azure.net'",
            )
        self.vaults = Vaults(self.url, emulated_vaults())

    def needed(self) -> str:
        """The URL of the call's own vault.

        :raises InvalidArgument: if there is none.
        """
        if self.url is None:
            raise no_vault()
        return str(self.url)

    def host(self) -> str:
        return urlsplit(self.needed()).netloc

    @staticmethod
    def _one_identity(own: Any, given: Any) -> Any:
        if own is not given:
            raise InvalidArgument(
                "The vault that is given has a credential of its own, and another one is given beside it.",
                hint="Pass vault= as a URL, or leave out credential=.",
            )
        return own
