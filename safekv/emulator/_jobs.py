"""A long operation of a Managed HSM: accepted at once, looked at until it has ended on the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault

#: Seconds that the service asks to wait before the first look.
_RETRY_AFTER = "10"


@dataclass(slots=True)
class Job:
    """``kind`` is where it is looked at, ``backup`` or ``restore``. Times are in seconds since 1970.

    ``error`` (code and message) is how it ends without success; ``effect`` is what it does to the vault at its end.
    ``folder`` is where a backup is found.
    """

    id: str
    kind: str
    started: float
    ends: float
    error: tuple[str, str] | None = None
    effect: Callable[[Vault], None] | None = None
    folder: str | None = None

    def shown(self, now: float) -> dict[str, Any]:
        """Its status, as the service puts it."""
        over = now >= self.ends
        status = "InProgress" if not over else "Failed" if self.error else "Succeeded"
        error = {"code": self.error[0], "message": self.error[1]} if over and self.error else None
        document = {
            "status": status,
            "statusDetails": None,
            "error": error,
            "startTime": int(self.started),
            "endTime": int(self.ends) if over else None,
            "jobId": self.id,
        }
        if self.kind == "backup":
            document["azureStorageBlobContainerUri"] = self.folder if status == "Succeeded" else None
        return document


def begin(
    call: Call,
    kind: str,
    seconds: float,
    *,
    error: tuple[str, str] | None = None,
    effect: Callable[[Vault], None] | None = None,
    folder: str | None = None,
) -> Response:
    """Begin an operation that takes so many seconds, unless one is under way.

    With an ``error`` it ends so at once, and has no effect.
    """
    state = call.vault.administration
    if state.busy(call.now):
        raise Refused("409_mhsm_busy", guid=call.vault.new_id())
    ends = call.now if error else call.now + seconds
    job = Job(call.vault.new_id(), kind, call.now, ends, error, None if error else effect, folder)
    state.add(job)
    where = f"{call.vault.url}/{kind}/{job.id}/pending"
    return Response.json(202, job.shown(float("-inf")), {"azure-asyncoperation": where, "Retry-After": _RETRY_AFTER})


def _status_of(kind: str) -> Callable[[Call], Response]:
    def status(call: Call) -> Response:
        job = call.vault.administration.jobs.get(call.request.path.split("/")[2])
        if job is None or job.kind != kind:
            raise Refused("404_mhsm_operation", guid=call.vault.new_id())
        return Response.json(200, job.shown(call.now))

    return status


# The address that an operation is looked at has no api-version.
ROUTES = tuple(
    Route(
        f"{kind}_status",
        "GET",
        f"/{kind}/{{job}}/pending",
        _status_of(kind),
        on_hsm=True,
        on_vault=False,
        versioned=False,
    )
    for kind in ("backup", "restore")
)
