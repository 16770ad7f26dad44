"""What a call says that ends without an answer of its own."""

from __future__ import annotations

from safekv.errors import AmbiguousWrite, DeadlineExceeded, VaultThrottled, VaultUnavailable
from safekv.errors._briefly import LEFT_ALONE
from safekv.errors._topic import HTTP_429
from safekv.resilience._flow import Denied


def too_late(operation: str, host: str) -> DeadlineExceeded:
    """Its time was over before it was sent."""
    return DeadlineExceeded(
        f"{operation} on {host} was not sent: its timeout was over first.",
        hint="Give the call more time (timeout=, in seconds) or make fewer at once.",
        vault=host,
        operation=operation,
        transient=True,
    )


def throttled(
    operation: str, host: str, said: tuple[str | None, str | None, str] | None, retry_in: float, attempts: int
) -> VaultThrottled:
    """The vault is throttled for longer than the call has time. ``said``: code, inner code, message of its answer."""
    sent = f"after {attempts} attempts" if attempts > 1 else "after one attempt" if attempts else "nothing was sent"
    when = f"there may be room in about {retry_in:.1f} s"
    code, inner_code, message = said or ("Throttled", None, "")
    quoted = f' The vault says: "{code}: {message}"' if message else ""
    return VaultThrottled(
        f"{operation} on {host} is throttled ({sent}); {when}, which is after the call's deadline.{quoted}",
        hint="Wait for retry_in seconds, give the call more time (timeout=), or read less often: a cached secret, "
        "a key that is wrapped once instead of a service call per record.",
        guide_url=HTTP_429,
        code=code,
        inner_code=inner_code,
        vault=host,
        operation=operation,
        retry_in=retry_in,
    )


def left_alone(operation: str, host: str, denied: Denied) -> VaultUnavailable:
    """The breaker lets nothing through."""
    if denied.reason == "isolated":
        return VaultUnavailable(
            f"{operation} on {host} was not sent: this process was told to leave the vault alone.",
            hint="Vault.restore() ends that.",
            vault=host,
            operation=operation,
        )
    return VaultUnavailable(
        f"{operation} on {host} {LEFT_ALONE}",
        hint=f"One call at a time finds out whether it is back; the next may go in {denied.retry_in:.1f} s.",
        vault=host,
        operation=operation,
        retry_in=denied.retry_in,
    )


def ambiguous(operation: str, host: str, seen: str, status: int | None) -> AmbiguousWrite:
    """It may or may not have been done. ``seen``: what is known."""
    return AmbiguousWrite(
        f"{operation} on {host} may or may not have been carried out: {seen}.",
        hint="Look whether it was before you repeat it: that could do it a second time.",
        vault=host,
        operation=operation,
        status_code=status,
    )
