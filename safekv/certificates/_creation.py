"""The creation of a certificate: what is asked for, and waiting until the issuer has done it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.polling import PollingMethod
from azure.keyvault.certificates import CertificateOperation, CertificatePolicy

from safekv.connection._polling import Waiting
from safekv.errors import InvalidArgument
from safekv.resilience._retry_after import retry_after

#: Seconds between two looks where the vault asks for nothing else, as in the SDK.
INTERVAL = 5.0
#: Seconds after which waiting ends: some issuers take hours.
TIMEOUT = 86_400.0

_Look = tuple[Any, Any]


def parameters(models: Any, policy: CertificatePolicy, enabled: bool | None, tags: Any, order: bool | None) -> Any:
    """The body of the request that begins a creation."""
    return models.CertificateCreateParameters(
        certificate_policy=policy._to_certificate_policy_bundle(),
        certificate_attributes=None if enabled is None else models.CertificateAttributes(enabled=enabled),
        tags=tags,
        preserve_cert_order=order,
    )


def check_policy(policy: object) -> None:
    """Refuse a policy by which no certificate can be made.

    :raises InvalidArgument: for anything but a policy that names a subject or an alternative of it.
    """
    if not hasattr(policy, "_to_certificate_policy_bundle"):
        raise InvalidArgument(
            f"policy must be a CertificatePolicy, not {type(policy).__name__}.",
            hint="CertificatePolicy.get_default() is one, and CertificatePolicy('Self', subject='CN=my.example').",
        )
    names = ("emails", "user_principal_names", "dns_names", "ip_addresses", "uris")
    said = [getattr(policy, f"san_{name}", None) for name in names]
    if not any([*said, getattr(policy, "subject", None), getattr(policy, "platform_managed", None)]):
        raise InvalidArgument(
            "You need to set either subject or one of the subject alternative names parameters in the policy",
            hint="CertificatePolicy('Self', subject='CN=my.example', san_dns_names=['my.example']) is an example.",
        )


def with_response(pipeline_response: Any, bundle: Any, _: Any) -> _Look:
    """The generated client's ``cls``: the answer, and what it means."""
    return pipeline_response, bundle


class Creation:
    """A creation that is under way, as it was when last seen. No I/O."""

    _asked: float | None

    def __init__(self, waiting: Waiting, clock: Any, first: _Look) -> None:
        self._waiting = waiting
        self._clock = clock
        self.see(first)
        if self._asked is None:
            self._asked = 0.0  # the first look is at once

    def see(self, look: _Look) -> None:
        """Take note of an answer."""
        response, bundle = look
        self.operation = CertificateOperation._from_certificate_operation_bundle(bundle)
        headers = getattr(getattr(response, "http_response", None), "headers", None)
        self._asked = retry_after(headers, self._clock.time()) if headers is not None else None

    def look_timeout(self) -> float:
        """Seconds for the next look."""
        return self._waiting.look_timeout()

    def failed(self, error: Exception) -> None:
        """A look has failed; what does not pass is raised."""
        if getattr(error, "transient", False) is not True:
            raise error
        self._waiting.is_over(error)

    def pause(self) -> float:
        """Seconds until the next look: as the vault has asked, else 5.

        :raises DeadlineExceeded: if that is after the deadline.
        """
        return self._waiting.pause(self._asked)

    @property
    def status(self) -> str:
        return (self.operation.status or "").lower()

    @property
    def finished(self) -> bool:
        """Whether there is anything to wait for: an unknown issuer's answer comes by merge_certificate."""
        return (self.operation.issuer_name or "").lower() == "unknown" or self.status != "inprogress"

    @property
    def completed(self) -> bool:
        return self.status == "completed"


class CreationPolling(PollingMethod[Any]):
    """In the SDK's poller."""

    def __init__(self, creation: Creation, look: Callable[..., _Look], get: Callable[..., Any], sleep: Any) -> None:
        self._creation, self._look, self._get, self._sleep = creation, look, get, sleep
        self._resource: Any = creation.operation if creation.finished and not creation.completed else None

    def initialize(self, client: Any, initial_response: Any, deserialization_callback: Any) -> None:
        """Nothing to do."""

    def run(self) -> None:
        creation = self._creation
        while not creation.finished:
            self._sleep(creation.pause())
            try:
                creation.see(self._look(timeout=creation.look_timeout()))
            except AzureError as error:
                creation.failed(error)
        self._resource = self._get(timeout=creation.look_timeout()) if creation.completed else creation.operation

    def status(self) -> str:
        return self._creation.status

    def finished(self) -> bool:
        return self._creation.finished and self._resource is not None

    def resource(self) -> Any:
        return self._resource


async def created(
    creation: Creation, look: Callable[..., Awaitable[_Look]], get: Callable[..., Awaitable[Any]], sleep: Any
) -> Any:
    """The same on aio: the certificate, or the operation if there is none."""
    while not creation.finished:
        await sleep(creation.pause())
        try:
            creation.see(await look(timeout=creation.look_timeout()))
        except AzureError as error:
            creation.failed(error)
    return await get(timeout=creation.look_timeout()) if creation.completed else creation.operation


def check_bytes(given: object) -> None:
    """Refuse what is no file with a certificate. It is in no message: it contains a private key.

    :raises InvalidArgument: for anything but bytes.
    """
    if not isinstance(given, (bytes, bytearray)) or not given:
        raise InvalidArgument(
            f"certificate_bytes must be the bytes of a PFX or PEM file, not {type(given).__name__}"
            f"{' of no length' if given in (b'', '') else ''}.",
            hint="Path('certificate.pfx').read_bytes()",
        )
