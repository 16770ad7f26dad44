"""The sync door to cryptography with keys. ``aio/_client.py`` is its twin."""

from __future__ import annotations

from typing import Any

import azure.keyvault.keys.crypto
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing.decorator import distributed_trace
from azure.keyvault.keys.crypto import (
    DecryptResult,
    EncryptionAlgorithm,
    EncryptResult,
    KeyVaultRSAPrivateKey,
    KeyVaultRSAPublicKey,
    KeyWrapAlgorithm,
    SignatureAlgorithm,
    SignResult,
    UnwrapResult,
    VerifyResult,
    WrapResult,
)
from azure.keyvault.keys.crypto._providers import get_local_cryptography_provider

from safekv.connection._identity import RAW
from safekv.keys.crypto import _decide
from safekv.keys.crypto._decide import Asked
from safekv.keys.crypto._flights import fetch_once
from safekv.keys.crypto._keystore import Known, Name
from safekv.keys.crypto._shared import Job, SharedCryptography


class CryptographyClient(SharedCryptography, azure.keyvault.keys.crypto.CryptographyClient):
    """``azure.keyvault.keys.crypto.CryptographyClient``, that does what its user thinks.

    What needs only the public part of a key is done here, everything else by the service;
    and nothing is ever done with a key that was made up for want of the real one. The key is
    fetched once for all clients of the vault, and its state and newest version are looked at
    again after ``key_ttl`` seconds (300).

    :param key: a ``KeyVaultKey``, or the id of a key. Without a version it means the newest.
    :param credential: as for ``KeyClient``; None is the process's ``DefaultAzureCredential``.
    :param options: every keyword of the SDK's client, and ``local``: False sends to the
        service what could be done here.

    All methods take ``local=`` and ``key_id=`` (the id in a result: its version is used) for
    one call. ``decrypt``, ``unwrap_key`` and ``verify`` take a result in place of its bytes.
    """

    @classmethod
    def _key_client_class(cls) -> Any:
        from safekv.keys._client import KeyClient

        return KeyClient

    def _provider_for(self, jwk: Any) -> Any:
        return get_local_cryptography_provider(jwk)

    @distributed_trace
    def encrypt(
        self,
        algorithm: EncryptionAlgorithm | str,
        plaintext: bytes,
        *,
        iv: bytes | None = None,
        additional_authenticated_data: bytes | None = None,
        **kwargs: Any,
    ) -> EncryptResult:
        asked = _decide.encrypt(algorithm, plaintext, iv, additional_authenticated_data)
        result: EncryptResult = self._do(asked, kwargs)
        return result

    @distributed_trace
    def decrypt(
        self,
        algorithm: EncryptionAlgorithm | str,
        ciphertext: bytes | EncryptResult,
        *,
        iv: bytes | None = None,
        authentication_tag: bytes | None = None,
        additional_authenticated_data: bytes | None = None,
        **kwargs: Any,
    ) -> DecryptResult:
        asked = _decide.decrypt(algorithm, ciphertext, iv, authentication_tag, additional_authenticated_data)
        result: DecryptResult = self._do(asked, kwargs)
        return result

    @distributed_trace
    def wrap_key(self, algorithm: KeyWrapAlgorithm | str, key: bytes, **kwargs: Any) -> WrapResult:
        result: WrapResult = self._do(_decide.wrap_key(algorithm, key), kwargs)
        return result

    @distributed_trace
    def unwrap_key(
        self, algorithm: KeyWrapAlgorithm | str, encrypted_key: bytes | WrapResult, **kwargs: Any
    ) -> UnwrapResult:
        result: UnwrapResult = self._do(_decide.unwrap_key(algorithm, encrypted_key), kwargs)
        return result

    @distributed_trace
    def sign(self, algorithm: SignatureAlgorithm | str, digest: bytes, **kwargs: Any) -> SignResult:
        result: SignResult = self._do(_decide.sign(algorithm, digest), kwargs)
        return result

    @distributed_trace
    def verify(
        self, algorithm: SignatureAlgorithm | str, digest: bytes, signature: bytes | SignResult, **kwargs: Any
    ) -> VerifyResult:
        result: VerifyResult = self._do(_decide.verify(algorithm, digest, signature), kwargs)
        return result

    @distributed_trace
    def create_rsa_private_key(self) -> KeyVaultRSAPrivateKey:
        """cryptography's ``RSAPrivateKey`` that signs and decrypts with this key, in the version that it has now."""
        client, material = self._rsa_key(self._look_up())
        return KeyVaultRSAPrivateKey(client=client, key_material=material)

    @distributed_trace
    def create_rsa_public_key(self) -> KeyVaultRSAPublicKey:
        """cryptography's ``RSAPublicKey`` for this key, in the version that it has now."""
        client, material = self._rsa_key(self._look_up())
        return KeyVaultRSAPublicKey(client=client, key_material=material)

    def send_request(self, request: HttpRequest, *, stream: bool = False, **kwargs: Any) -> HttpResponse:
        """The SDK's ``send_request``: returns the response, whatever its status."""
        kwargs[RAW] = True
        return super().send_request(request, stream=stream, **kwargs)

    def close(self) -> None:
        """Give back the lease on the connection; a client of ``get_cryptography_client`` has none of its own."""
        if self._holds_lease:
            self._holds_lease = False
            self._key_client.close()

    def __enter__(self) -> CryptographyClient:
        if self._holds_lease:
            self._key_client.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def _do(self, asked: Asked, kwargs: dict[str, Any]) -> Any:
        job = self._job(asked, kwargs)
        if job.needs_key:
            self._fetch_for(job, kwargs)
        if self._is_local(job):
            return self._perform(job)
        operation = getattr(self._client, asked.method)
        return self._answer(job, operation(**self._request(job, kwargs)))

    def _fetch_for(self, job: Job, kwargs: dict[str, Any]) -> None:
        self._learned(
            job, fetch_once(self._store, job.name, lambda: self._fetch(job.name, kwargs), self._turn(job, kwargs))
        )

    def _fetch(self, name: Name, kwargs: dict[str, Any]) -> Known:
        now = self._clock.monotonic()
        try:
            bundle = self._client.get_key(self._name, name.version, **kwargs)
        except HttpResponseError as error:
            return self._refused(name, now, error)
        return self._fetched(now, bundle)

    def _look_up(self, **kwargs: Any) -> Known:
        """The key, fetched if need be."""
        job = self._job(_decide.LOOK, kwargs)
        if job.known is None:
            self._fetch_for(job, kwargs)
        assert job.known is not None
        return job.known

    def _initialize(self, **kwargs: Any) -> None:
        """The SDK's name for it."""
        self._look_up(**kwargs)
