"""The aio door to certificates. ``../_client.py`` is its twin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import azure.keyvault.certificates.aio
from azure.core.async_paging import AsyncItemPaged
from azure.core.exceptions import HttpResponseError
from azure.core.tracing.decorator_async import distributed_trace_async
from azure.keyvault.certificates import (
    AdministratorContact,
    ApiVersion,
    CertificateIssuer,
    CertificateOperation,
    CertificatePolicy,
    CertificateProperties,
    DeletedCertificate,
    KeyVaultCertificate,
)

from safekv._identifiers import object_name, object_tags, some_name
from safekv.certificates import _creation, _private_key
from safekv.certificates._private_key import CertificateWithKey
from safekv.certificates._secrets import SecretLease
from safekv.connection._aclient import AsyncSharedClient
from safekv.connection._polling import Waiting, wait_until

if TYPE_CHECKING:
    import ssl

_LONGEST_TAG = 256


class CertificateClient(AsyncSharedClient, azure.keyvault.certificates.aio.CertificateClient):
    """``azure.keyvault.certificates.aio.CertificateClient``, shared, and usable from any event loop.

    As ``safekv.certificates.CertificateClient``. The credential may be a synchronous one: it is then
    asked in a worker thread, and shares its tokens with the synchronous clients.
    """

    _api_versions = tuple(version.value for version in ApiVersion)

    @classmethod
    def _default_credential(cls) -> Any:
        from safekv.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    def _built(self, *details: Any) -> Any:
        built = super()._built(*details)
        self._secrets = SecretLease(self._origin)
        return built

    async def _give_back(self, lease: Any) -> None:
        await super()._give_back(lease)
        client = self._secrets.drop() if lease.leases <= 0 else None
        if client is not None:
            await client.close()

    async def get_private_key(
        self, certificate_name: str, version: str | None = None, **kwargs: Any
    ) -> CertificateWithKey:
        """The certificate with its private key, out of the secret that Key Vault keeps beside it.

        :param version: by default the newest.
        :raises PrivateKeyUnavailable: if secrets may not be read, or the key is not exportable.
        """
        from safekv.secrets.aio import SecretClient

        name = object_name(certificate_name, "certificate")
        try:
            secret = await self._secrets.take(SecretClient).get_secret(name, version, **kwargs)
        except HttpResponseError as error:
            problem = _private_key.denied(name, error)
            if problem is error:
                raise
            raise problem from error
        return _private_key.from_secret(name, secret)

    async def load_ssl_context(
        self,
        certificate_name: str,
        version: str | None = None,
        *,
        context: ssl.SSLContext | None = None,
        server_side: bool = False,
        **kwargs: Any,
    ) -> ssl.SSLContext:
        """An ``ssl.SSLContext`` that presents the certificate; no file is left behind.

        :keyword context: to load it into; by default a new one of ``ssl.create_default_context``.
        :keyword server_side: whether the new one is for a server, rather than for a client (mutual TLS).
        :raises PrivateKeyUnavailable: as :meth:`get_private_key`.
        """
        found = await self.get_private_key(certificate_name, version, **kwargs)
        return _private_key.ssl_context(found, context, server_side=server_side)

    @distributed_trace_async
    async def create_certificate(
        self,
        certificate_name: str,
        policy: CertificatePolicy,
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        preserve_order: bool | None = None,
        **kwargs: Any,
    ) -> KeyVaultCertificate | CertificateOperation:
        """Create a certificate; the vault is looked at as often as it asks for, for at most ``timeout``.

        :keyword float timeout: seconds for all of it, a day by default.
        """
        _creation.check_policy(policy)
        name = some_name(certificate_name, "certificate")  # the rest is checked in the pipeline, as in create_key
        object_tags(tags, _LONGEST_TAG)
        waiting = Waiting.of(self, "create_certificate", kwargs, interval=_creation.INTERVAL, timeout=_creation.TIMEOUT)
        kwargs.pop("_polling_interval", None)
        parameters = _creation.parameters(self._models, policy, enabled, tags, preserve_order)
        seen: Any = await self._client.create_certificate(
            certificate_name=name, parameters=parameters, cls=_creation.with_response, **kwargs
        )
        look = partial(
            self._client.get_certificate_operation, certificate_name=name, cls=_creation.with_response, **kwargs
        )
        created: KeyVaultCertificate | CertificateOperation = await _creation.created(
            _creation.Creation(waiting, self._lease.clock, seen),
            look,
            partial(self.get_certificate, name, **kwargs),
            self._lease.sleep,
        )
        return created

    async def get_certificate(self, certificate_name: str, **kwargs: Any) -> KeyVaultCertificate:
        return await super().get_certificate(object_name(certificate_name, "certificate"), **kwargs)

    async def get_certificate_version(self, certificate_name: str, version: str, **kwargs: Any) -> KeyVaultCertificate:
        return await super().get_certificate_version(object_name(certificate_name, "certificate"), version, **kwargs)

    @distributed_trace_async
    async def delete_certificate(self, certificate_name: str, **kwargs: Any) -> DeletedCertificate:
        waiting = Waiting.of(self, "delete_certificate", kwargs)
        kwargs.pop("_polling_interval", None)
        name = object_name(certificate_name, "certificate")
        bundle = await self._client.delete_certificate(certificate_name=name, **kwargs)
        deleted = DeletedCertificate._from_deleted_certificate_bundle(bundle)
        if deleted.recovery_id is not None:  # there is soft-delete
            await wait_until(
                partial(self.get_deleted_certificate, certificate_name, **kwargs), waiting, self._lease.sleep
            )
        return deleted

    async def get_deleted_certificate(self, certificate_name: str, **kwargs: Any) -> DeletedCertificate:
        return await super().get_deleted_certificate(object_name(certificate_name, "certificate"), **kwargs)

    async def purge_deleted_certificate(self, certificate_name: str, **kwargs: Any) -> None:
        await super().purge_deleted_certificate(object_name(certificate_name, "certificate"), **kwargs)

    @distributed_trace_async
    async def recover_deleted_certificate(self, certificate_name: str, **kwargs: Any) -> KeyVaultCertificate:
        waiting = Waiting.of(self, "recover_deleted_certificate", kwargs)
        kwargs.pop("_polling_interval", None)
        name = object_name(certificate_name, "certificate")
        bundle = await self._client.recover_deleted_certificate(certificate_name=name, **kwargs)
        await wait_until(partial(self.get_certificate, certificate_name, **kwargs), waiting, self._lease.sleep)
        return KeyVaultCertificate._from_certificate_bundle(bundle)

    async def import_certificate(
        self,
        certificate_name: str,
        certificate_bytes: bytes,
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        password: str | None = None,
        policy: CertificatePolicy | None = None,
        preserve_order: bool | None = None,
        **kwargs: Any,
    ) -> KeyVaultCertificate:
        _creation.check_bytes(certificate_bytes)
        object_tags(tags, _LONGEST_TAG)
        return await super().import_certificate(
            object_name(certificate_name, "certificate"),
            certificate_bytes,
            enabled=enabled,
            tags=tags,
            password=password,
            policy=policy,
            preserve_order=preserve_order,
            **kwargs,
        )

    async def get_certificate_policy(self, certificate_name: str, **kwargs: Any) -> CertificatePolicy:
        return await super().get_certificate_policy(object_name(certificate_name, "certificate"), **kwargs)

    async def update_certificate_policy(
        self, certificate_name: str, policy: CertificatePolicy, **kwargs: Any
    ) -> CertificatePolicy:
        return await super().update_certificate_policy(object_name(certificate_name, "certificate"), policy, **kwargs)

    async def update_certificate_properties(
        self,
        certificate_name: str,
        version: str | None = None,
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> KeyVaultCertificate:
        object_tags(tags, _LONGEST_TAG)
        return await super().update_certificate_properties(
            object_name(certificate_name, "certificate"), version, enabled=enabled, tags=tags, **kwargs
        )

    async def backup_certificate(self, certificate_name: str, **kwargs: Any) -> bytes:
        return await super().backup_certificate(object_name(certificate_name, "certificate"), **kwargs)

    def list_properties_of_certificate_versions(
        self, certificate_name: str, **kwargs: Any
    ) -> AsyncItemPaged[CertificateProperties]:
        return super().list_properties_of_certificate_versions(object_name(certificate_name, "certificate"), **kwargs)

    async def get_certificate_operation(self, certificate_name: str, **kwargs: Any) -> CertificateOperation:
        return await super().get_certificate_operation(object_name(certificate_name, "certificate"), **kwargs)

    async def delete_certificate_operation(self, certificate_name: str, **kwargs: Any) -> CertificateOperation:
        return await super().delete_certificate_operation(object_name(certificate_name, "certificate"), **kwargs)

    async def cancel_certificate_operation(self, certificate_name: str, **kwargs: Any) -> CertificateOperation:
        return await super().cancel_certificate_operation(object_name(certificate_name, "certificate"), **kwargs)

    async def merge_certificate(
        self,
        certificate_name: str,
        x509_certificates: list[bytes],
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> KeyVaultCertificate:
        object_tags(tags, _LONGEST_TAG)
        return await super().merge_certificate(
            object_name(certificate_name, "certificate"), x509_certificates, enabled=enabled, tags=tags, **kwargs
        )

    async def get_issuer(self, issuer_name: str, **kwargs: Any) -> CertificateIssuer:
        return await super().get_issuer(some_name(issuer_name, "issuer"), **kwargs)

    async def create_issuer(
        self,
        issuer_name: str,
        provider: str,
        *,
        enabled: bool | None = None,
        account_id: str | None = None,
        password: str | None = None,
        organization_id: str | None = None,
        admin_contacts: list[AdministratorContact] | None = None,
        **kwargs: Any,
    ) -> CertificateIssuer:
        return await super().create_issuer(
            some_name(issuer_name, "issuer"),
            provider,
            enabled=enabled,
            account_id=account_id,
            password=password,
            organization_id=organization_id,
            admin_contacts=admin_contacts,
            **kwargs,
        )

    async def update_issuer(
        self,
        issuer_name: str,
        *,
        enabled: bool | None = None,
        provider: str | None = None,
        account_id: str | None = None,
        password: str | None = None,
        organization_id: str | None = None,
        admin_contacts: list[AdministratorContact] | None = None,
        **kwargs: Any,
    ) -> CertificateIssuer:
        return await super().update_issuer(
            some_name(issuer_name, "issuer"),
            enabled=enabled,
            provider=provider,
            account_id=account_id,
            password=password,
            organization_id=organization_id,
            admin_contacts=admin_contacts,
            **kwargs,
        )

    async def delete_issuer(self, issuer_name: str, **kwargs: Any) -> CertificateIssuer:
        return await super().delete_issuer(some_name(issuer_name, "issuer"), **kwargs)
