"""The sync door to certificates. ``aio/_client.py`` is its twin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import azure.keyvault.certificates
from azure.core.exceptions import HttpResponseError
from azure.core.paging import ItemPaged
from azure.core.polling import LROPoller
from azure.core.tracing.decorator import distributed_trace
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
from safekv.connection._client import SyncSharedClient
from safekv.connection._polling import Waiting, bounded

if TYPE_CHECKING:
    import ssl

_LONGEST_TAG = 256


class CertificateClient(SyncSharedClient, azure.keyvault.certificates.CertificateClient):
    """``azure.keyvault.certificates.CertificateClient``, shared: the same arguments give the same object.

    All methods and keywords are the SDK's, and two are added: :meth:`get_private_key` and
    :meth:`load_ssl_context`. Names, policies and tags that Key Vault would refuse raise
    ``safekv.errors.InvalidArgument`` (a ``ValueError``) before anything is sent. ``timeout=``
    is the deadline of one call in seconds; of a creation, deletion or recovery with its waiting.
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

    def _give_back(self, lease: Any) -> None:
        super()._give_back(lease)
        client = self._secrets.drop() if lease.leases <= 0 else None
        if client is not None:
            client.close()

    def get_private_key(self, certificate_name: str, version: str | None = None, **kwargs: Any) -> CertificateWithKey:
        """The certificate with its private key, out of the secret that Key Vault keeps beside it.

        :param version: by default the newest.
        :raises PrivateKeyUnavailable: if secrets may not be read, or the key is not exportable.
        """
        from safekv.secrets import SecretClient

        name = object_name(certificate_name, "certificate")
        try:
            secret = self._secrets.take(SecretClient).get_secret(name, version, **kwargs)
        except HttpResponseError as error:
            problem = _private_key.denied(name, error)
            if problem is error:
                raise
            raise problem from error
        return _private_key.from_secret(name, secret)

    def load_ssl_context(
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
        found = self.get_private_key(certificate_name, version, **kwargs)
        return _private_key.ssl_context(found, context, server_side=server_side)

    @distributed_trace
    def begin_create_certificate(
        self,
        certificate_name: str,
        policy: CertificatePolicy,
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        preserve_order: bool | None = None,
        **kwargs: Any,
    ) -> LROPoller[KeyVaultCertificate | CertificateOperation]:
        """Create a certificate; the poller looks as often as the vault asks for, and ends after ``timeout``.

        :keyword float timeout: seconds for all of it, a day by default.
        """
        _creation.check_policy(policy)
        name = some_name(certificate_name, "certificate")  # the rest is checked in the pipeline, as in create_key
        object_tags(tags, _LONGEST_TAG)
        waiting = Waiting.of(self, "create_certificate", kwargs, interval=_creation.INTERVAL, timeout=_creation.TIMEOUT)
        kwargs.pop("_polling_interval", None)
        parameters = _creation.parameters(self._models, policy, enabled, tags, preserve_order)
        seen: Any = self._client.create_certificate(
            certificate_name=name, parameters=parameters, cls=_creation.with_response, **kwargs
        )
        look = partial(
            self._client.get_certificate_operation, certificate_name=name, cls=_creation.with_response, **kwargs
        )
        polling = _creation.CreationPolling(
            _creation.Creation(waiting, self._lease.clock, seen),
            look,
            partial(self.get_certificate, name, **kwargs),
            self._lease.sleep,
        )
        return LROPoller(None, None, lambda *_: None, polling)

    def get_certificate(self, certificate_name: str, **kwargs: Any) -> KeyVaultCertificate:
        return super().get_certificate(object_name(certificate_name, "certificate"), **kwargs)

    def get_certificate_version(self, certificate_name: str, version: str, **kwargs: Any) -> KeyVaultCertificate:
        return super().get_certificate_version(object_name(certificate_name, "certificate"), version, **kwargs)

    def begin_delete_certificate(self, certificate_name: str, **kwargs: Any) -> LROPoller[DeletedCertificate]:
        waiting = Waiting.of(self, "delete_certificate", kwargs)
        poller = super().begin_delete_certificate(object_name(certificate_name, "certificate"), **kwargs)
        return bounded(poller, waiting)

    def get_deleted_certificate(self, certificate_name: str, **kwargs: Any) -> DeletedCertificate:
        return super().get_deleted_certificate(object_name(certificate_name, "certificate"), **kwargs)

    def purge_deleted_certificate(self, certificate_name: str, **kwargs: Any) -> None:
        super().purge_deleted_certificate(object_name(certificate_name, "certificate"), **kwargs)

    def begin_recover_deleted_certificate(self, certificate_name: str, **kwargs: Any) -> LROPoller[KeyVaultCertificate]:
        waiting = Waiting.of(self, "recover_deleted_certificate", kwargs)
        poller = super().begin_recover_deleted_certificate(object_name(certificate_name, "certificate"), **kwargs)
        return bounded(poller, waiting)

    def import_certificate(
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
        return super().import_certificate(
            object_name(certificate_name, "certificate"),
            certificate_bytes,
            enabled=enabled,
            tags=tags,
            password=password,
            policy=policy,
            preserve_order=preserve_order,
            **kwargs,
        )

    def get_certificate_policy(self, certificate_name: str, **kwargs: Any) -> CertificatePolicy:
        return super().get_certificate_policy(object_name(certificate_name, "certificate"), **kwargs)

    def update_certificate_policy(
        self, certificate_name: str, policy: CertificatePolicy, **kwargs: Any
    ) -> CertificatePolicy:
        return super().update_certificate_policy(object_name(certificate_name, "certificate"), policy, **kwargs)

    def update_certificate_properties(
        self,
        certificate_name: str,
        version: str | None = None,
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> KeyVaultCertificate:
        object_tags(tags, _LONGEST_TAG)
        return super().update_certificate_properties(
            object_name(certificate_name, "certificate"), version, enabled=enabled, tags=tags, **kwargs
        )

    def backup_certificate(self, certificate_name: str, **kwargs: Any) -> bytes:
        return super().backup_certificate(object_name(certificate_name, "certificate"), **kwargs)

    def list_properties_of_certificate_versions(
        self, certificate_name: str, **kwargs: Any
    ) -> ItemPaged[CertificateProperties]:
        return super().list_properties_of_certificate_versions(object_name(certificate_name, "certificate"), **kwargs)

    def get_certificate_operation(self, certificate_name: str, **kwargs: Any) -> CertificateOperation:
        return super().get_certificate_operation(object_name(certificate_name, "certificate"), **kwargs)

    def delete_certificate_operation(self, certificate_name: str, **kwargs: Any) -> CertificateOperation:
        return super().delete_certificate_operation(object_name(certificate_name, "certificate"), **kwargs)

    def cancel_certificate_operation(self, certificate_name: str, **kwargs: Any) -> CertificateOperation:
        return super().cancel_certificate_operation(object_name(certificate_name, "certificate"), **kwargs)

    def merge_certificate(
        self,
        certificate_name: str,
        x509_certificates: list[bytes],
        *,
        enabled: bool | None = None,
        tags: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> KeyVaultCertificate:
        object_tags(tags, _LONGEST_TAG)
        return super().merge_certificate(
            object_name(certificate_name, "certificate"), x509_certificates, enabled=enabled, tags=tags, **kwargs
        )

    def get_issuer(self, issuer_name: str, **kwargs: Any) -> CertificateIssuer:
        return super().get_issuer(some_name(issuer_name, "issuer"), **kwargs)

    def create_issuer(
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
        return super().create_issuer(
            some_name(issuer_name, "issuer"),
            provider,
            enabled=enabled,
            account_id=account_id,
            password=password,
            organization_id=organization_id,
            admin_contacts=admin_contacts,
            **kwargs,
        )

    def update_issuer(
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
        return super().update_issuer(
            some_name(issuer_name, "issuer"),
            enabled=enabled,
            provider=provider,
            account_id=account_id,
            password=password,
            organization_id=organization_id,
            admin_contacts=admin_contacts,
            **kwargs,
        )

    def delete_issuer(self, issuer_name: str, **kwargs: Any) -> CertificateIssuer:
        return super().delete_issuer(some_name(issuer_name, "issuer"), **kwargs)
