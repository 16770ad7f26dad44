"""A source of settings for pydantic-settings: ``pip install 'safekv[pydantic]'``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from safekv._seconds import positive
from safekv.config._loader import Clients
from safekv.config._names import secret_prefix
from safekv.config._request import TIMEOUT
from safekv.config._typed import Model
from safekv.errors import MissingPackage, SafeKVWarning

try:
    from pydantic.fields import FieldInfo
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
except ModuleNotFoundError as error:
    raise MissingPackage(
        f"safekv.SettingsSource needs {error.name}, which is not installed.", hint="pip install 'safekv[pydantic]'"
    ) from None

__all__ = ["SettingsSource"]


class SettingsSource(PydanticBaseSettingsSource):
    """Reads the fields that the sources before it have left unset, each by a GET of its own.

    Names are those of ``safekv.load_as``: ``db_password`` is ``db-password``, ``db.password`` is ``db--password``,
    unless ``safekv.field`` says otherwise. No permission to list is needed, and no other secret is read.

    :param vault: a URL, a name, a ``Vault`` or a client; by default ``AZURE_KEY_VAULT_URL``.
    :param credential: as for ``SecretClient``.
    :param prefix: what stands before all names.
    :param timeout: seconds for all of it.
    :raises LoadError: (when it is called) naming every field that is forbidden, disabled or malformed. What is
        missing is left to the sources after it, and to pydantic.
    """

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        vault: Any = None,
        *,
        credential: Any = None,
        prefix: str = "",
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(settings_cls)
        self._vault, self._credential = vault, credential
        self._timeout = positive("timeout", timeout)
        self._model = Model(settings_cls, secret_prefix(prefix))

    def __call__(self) -> dict[str, Any]:
        if not self.settings_cls.model_config.get("hide_input_in_errors"):
            warnings.warn(
                f"{self.settings_cls.__name__} shows values of secrets in its ValidationErrors. "
                "Set model_config = SettingsConfigDict(hide_input_in_errors=True).",
                SafeKVWarning,
                stacklevel=2,
            )
        with Clients(self._vault, self._credential, self._timeout) as clients:
            wanted = [
                each.leave_out() for each in self._model.wanted(clients.targets.vaults) if not self._is_set(each.key)
            ]
            return self._model.given(clients.read(wanted))

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Of the base class; all fields are read together instead."""
        return None, field_name, False

    def __repr__(self) -> str:
        return f"SettingsSource({self.settings_cls.__name__})"

    def _is_set(self, key: str) -> bool:
        """Whether a source before this one has the field."""
        found: Any = self.current_state
        for keywords in self._model.keywords(key):
            if not isinstance(found, Mapping):
                return True  # a whole model, or JSON for one
            name = next((each for each in keywords if each in found), None)
            if name is None:
                return False
            found = found[name]
        return True
