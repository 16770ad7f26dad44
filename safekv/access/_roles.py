"""What roles allow: patterns of data actions, and where an assignment holds."""

from __future__ import annotations

import re
from functools import lru_cache

from safekv.access._model import Role

_PREFIX = "microsoft.keyvault/vaults/"


def permits(role: Role, action: str) -> bool | None:
    """Whether a role has a data action; None if what is in it could not be read."""
    if role.data_actions is None:
        return None
    return _any(role.data_actions, action) and not _any(role.not_data_actions, action)


def gives_data_access(role: Role) -> bool:
    """Whether a role allows anything inside a vault, as far as that is known."""
    if role.data_actions is None:
        return True
    return any(_may_meet(pattern.lower()) for pattern in role.data_actions)


def _may_meet(pattern: str) -> bool:
    """Whether a pattern can match an action inside a vault."""
    fixed = pattern.split("*", 1)[0]
    return fixed.startswith(_PREFIX) or ("*" in pattern and _PREFIX.startswith(fixed))


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(each.lower()).fullmatch(action.lower()) for each in patterns)


@lru_cache(maxsize=1_024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", text)))
