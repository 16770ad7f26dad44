"""A request to the control plane that has been understood, and the means to answer it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Protocol
from urllib.parse import unquote

from safekv.emulator._access import Identity
from safekv.emulator._answers import Refused
from safekv.emulator._directory import Directory
from safekv.emulator._grants import Grants
from safekv.emulator._messages import Request, Response
from safekv.emulator._seeding import EmulatedVault
from safekv.emulator._settings import EmulatorSettings

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLACE = re.compile(r"\{(\w+)\}")


class Estate(Protocol):
    """What is managed: an emulator."""

    settings: EmulatorSettings
    grants: Grants
    directory: Directory
    groups: set[str]

    @property
    def vaults(self) -> Mapping[str, EmulatedVault]: ...

    def new_vault(self, name: str, **options: Any) -> EmulatedVault: ...

    def remove_vault(self, vault: EmulatedVault) -> None: ...


@dataclass(frozen=True, slots=True)
class ArmCall:
    """``places`` are the variable parts of the path; ``now`` is in seconds since 1970."""

    request: Request
    places: Mapping[str, str]
    caller: Identity
    estate: Estate
    now: float

    @property
    def api_version(self) -> str:
        return self.request.query.get("api-version", "")

    @property
    def subscription(self) -> str:
        """The emulator's subscription: the only one there is."""
        return self.estate.settings.subscription

    def document(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        try:
            found = json.loads(self.request.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Refused("arm_400_body")
        return found

    def url(self, path: str, query: str) -> str:
        return f"https://{self.request.authority}{path}?{query}"


Handler = Callable[[ArmCall], Response]


class ArmRoute:
    """An endpoint. ``path`` has places such as ``{vault}``; ``{scope}`` may be several segments, or none.

    ``action`` is what a role has to allow for it.
    """

    def __init__(self, method: str, path: str, action: str, handler: Handler) -> None:
        self.method = method
        self.action = action
        self.handler = handler
        self._pattern = re.compile(_PLACE.sub(_place, path), re.IGNORECASE)

    def places(self, path: str) -> dict[str, str] | None:
        """The variable parts, if the path is this endpoint's."""
        found = self._pattern.fullmatch(path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


def _place(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>.*?)" if found[1] == "scope" else f"(?P<{found[1]}>[^/]+)"


def is_guid(value: object) -> bool:
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def wrong(what: str) -> Refused:
    """The refusal of a member of the body."""
    return Refused("arm_400_value", property=what)


def member(document: Mapping[str, Any], name: str, kind: type, *, within: str = "") -> Any:
    """A member that may be missing or null (None); refused if it is something else than ``kind``."""
    value = document.get(name)
    if value is not None and type(value) is not kind:
        raise wrong(f"{within}{name}")
    return value


def moment(seconds: float) -> str:
    """A time (seconds since 1970) as the control plane writes it."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
