"""What a Managed HSM has beside its keys: local roles, settings, and the long operations that are under way."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safekv.emulator._directory import id_of
from safekv.emulator._jobs import Job

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

#: The settings that there are, with their first values. All are boolean.
SETTINGS = {"AllowKeyManagementOperationsThroughARM": "false"}
#: The members of what is kept, and of :meth:`Administration.dump`.
MEMBERS = {"definitions": dict, "assignments": dict, "settings": dict, "backed_up": (int, float, type(None))}
ASSIGNMENT = {"name": str, "role": str, "principal": str, "scope": str}
DEFINITION = {"name": str, "role_name": str, "description": str, "permissions": list, "scopes": list}
_MOST_JOBS = 1_000


@dataclass(slots=True)
class Administration:
    """Of one HSM. Definitions are the custom ones; they and assignments go by their GUIDs in lower case."""

    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    backed_up: float | None = None  # when its last full backup was complete
    jobs: OrderedDict[str, Job] = field(default_factory=OrderedDict)

    def assign(self, principal: str, role: str, scope: str) -> None:
        """Have this assignment, under a name that follows from it."""
        name = id_of(f"{scope} {role} {principal}".lower())
        self.assignments[name] = {"name": name, "role": role, "principal": principal.lower(), "scope": scope}

    def add(self, job: Job) -> None:
        self.jobs[job.id] = job
        while len(self.jobs) > _MOST_JOBS:
            self.jobs.popitem(last=False)

    def busy(self, now: float) -> bool:
        """Whether a backup or a restore is under way."""
        return any(now < job.ends for job in self.jobs.values())

    def settle(self, vault: Vault, now: float) -> None:
        """Let take effect what has ended by now."""
        for job in self.jobs.values():
            if job.effect is not None and job.ends <= now:
                effect, job.effect = job.effect, None
                effect(vault)

    def roles(self) -> dict[str, Any]:
        """Definitions and assignments, as a full backup has them."""
        return copy.deepcopy({"definitions": self.definitions, "assignments": self.assignments})

    def dump(self) -> dict[str, Any]:
        """What outlives a restart: not the operations under way."""
        return {**self.roles(), "settings": dict(self.settings), "backed_up": self.backed_up}

    @classmethod
    def load(cls, members: Mapping[str, Any]) -> Administration:
        """What :meth:`dump` gave, checked before."""
        return cls(**copy.deepcopy(dict(members)))
