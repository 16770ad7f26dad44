"""Every knob of the emulator, with defaults and units."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from safekv.emulator._rates import MANAGED_HSM, Rate

#: The fields of Limits that are numbers of requests.
LIMIT_CLASSES = ("secret_create", "other", "key_create", "key_create_hsm", "key", "key_hsm")
_MOST_REQUESTS = 10_000_000
_MOST_TIMES = 100
RETRY_AFTER_STYLES = ("seconds", "http-date", "retry-after-ms", "x-ms-retry-after-ms")


def one_of(what: str, given: str, known: Collection[str]) -> None:
    """Raise ``ValueError`` naming what is known unless ``given`` is among it."""
    if given not in known:
        raise ValueError(f"{what}={given!r} is unknown; known: {', '.join(known)}")


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests a vault admits per window, by class of operation. ``None`` switches a class off.

    ``window`` is in seconds. Which kind of window the service uses is not documented, hence
    ``sliding`` (default) or fixed. A request answered 429 does not count unless
    ``count_rejected``. The service sends no Retry-After; ``retry_after`` names the style of
    one: ``"seconds"``, ``"http-date"``, ``"retry-after-ms"`` or ``"x-ms-retry-after-ms"``.

    Requests about keys count by the key: ``key`` for software keys and ``key_hsm`` for others,
    RSA-3072 four times and RSA-4096 eight times; making one counts as ``key_create`` or
    ``key_create_hsm``. A Managed HSM has rates of its own, per second; ``managed_hsm``
    multiplies them (1 to 3, by its partitions), and None switches them off.
    """

    secret_create: int | None = 300
    other: int | None = 4_000
    window: float = 10.0
    sliding: bool = True
    count_rejected: bool = False
    retry_after: str | None = None
    key_create: int | None = 20
    key_create_hsm: int | None = 10
    key: int | None = 4_000
    key_hsm: int | None = 2_000
    managed_hsm: float | None = 1.0

    def __post_init__(self) -> None:
        for name in LIMIT_CLASSES:
            limit = getattr(self, name)
            if limit is not None and (type(limit) is not int or not 0 <= limit <= _MOST_REQUESTS):
                raise ValueError(f"{name} must be 0 to {_MOST_REQUESTS} requests, or None for no limit, not {limit!r}")
        if not (is_number(self.window) and 0.001 <= self.window <= 86_400):
            raise ValueError(f"window must be 0.001 to 86400 seconds, such as 10.0, not {self.window!r}")
        for name in ("sliding", "count_rejected"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.retry_after is not None:
            one_of("retry_after", self.retry_after, RETRY_AFTER_STYLES)
        factor = self.managed_hsm
        if factor is not None and not (is_number(factor) and 0 <= factor <= _MOST_TIMES):
            raise ValueError(
                f"managed_hsm must be a factor of 0 to {_MOST_TIMES}, such as 1.0, or None, not {factor!r}"
            )

    def rate(self, limit_class: str) -> Rate | None:
        """How many requests of a class are admitted in how many seconds; None: any number."""
        if limit_class in LIMIT_CLASSES:
            most: int | None = getattr(self, limit_class)
            return None if most is None else Rate(most, self.window)
        most = MANAGED_HSM[limit_class]
        return None if self.managed_hsm is None else Rate(int(most * self.managed_hsm), 1.0)


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """How an emulator behaves. Delays are in seconds of its clock.

    Any bearer token is accepted unless it is one of ours (``make_token``) and is expired
    or for another audience; ``check_tokens=False`` accepts those as well,
    ``strict_tokens`` refuses tokens that are not ours, ``check_issuer`` refuses tokens of ours
    from another tenant than the vault's even before the vault has moved. ``issue_delay`` is
    how long it takes to issue a certificate, ``backup_delay`` to back up or restore a Managed HSM.

    ``enforce``: vaults let in only whom a policy or a role lets in (a vault may say otherwise for
    itself), and so does the control plane. ``propagation`` is how long a change of policies or
    roles takes to count, ``dns_delay`` how long a vault made through the control plane takes to
    have a name. ``subscription`` and ``resource_group`` are where vaults are that say nothing else.
    """

    tenant: str = "72f9a1c4-5b0e-4d37-9c86-1e2d3f4a5b6c"
    login: str = "https://login.microsoftonline.com"
    delete_delay: float = 1.5
    recover_delay: float = 1.5
    check_tokens: bool = True
    strict_tokens: bool = False
    check_issuer: bool = False
    limits: Limits = Limits()
    region: str = "westeurope"
    service_version: str = "1.9.3449.1"
    journal_size: int = 100_000
    issue_delay: float = 5.0
    backup_delay: float = 5.0
    enforce: bool = False
    propagation: float = 0.0
    dns_delay: float = 5.0
    subscription: str = "5b5c0de0-0000-4000-8000-000000000000"
    resource_group: str = "emulator"

    def __post_init__(self) -> None:
        for name in ("delete_delay", "recover_delay", "issue_delay", "backup_delay", "propagation", "dns_delay"):
            value = getattr(self, name)
            if not (is_number(value) and 0 <= value < float("inf")):
                raise ValueError(f"{name} must be a number of seconds >= 0, such as 1.5, not {value!r}")
        if self.journal_size < 0:
            raise ValueError(f"journal_size must be a number of entries >= 0, not {self.journal_size!r}")
