"""The aio door to cryptography with keys. ``../_client.py`` is its twin."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import azure.keyvault.keys.crypto.aio
from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.tracing.decorator_async import distributed_trace_async
from azure.keyvault.keys.crypto import (
    DecryptResult,
    EncryptionAlgorithm,
    EncryptResult,
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
from safekv.keys.crypto._keystore import Known, Name
from safekv.keys.crypto._shared import Job, SharedCryptography
from safekv.keys.crypto.aio._flights import fetch_once


class CryptographyClient(SharedCryptography, azure.keyvault.keys.crypto.aio.CryptographyClient):
    """``azure.keyvault.keys.crypto.aio.CryptographyClient``, usable from any event loop.

    As ``safekv.keys.crypto.CryptographyClient``. The credential may be a synchronous one.
    """

    @classmethod
    def _key_client_class(cls) -> Any:
        from safekv.keys.aio._client import KeyClient

        return KeyClient

    def _provider_for(self, jwk: Any) -> Any:
        return get_local_cryptography_provider(jwk)

    @distributed_trace_async
    async def encrypt(
        self,
        algorithm: EncryptionAlgorithm | str,
        plaintext: bytes,
        *,
        iv: bytes | None = None,
        additional_authenticated_data: bytes | None = None,
        **kwargs: Any,
    ) -> EncryptResult:
        asked = _decide.encrypt(algorithm, plaintext, iv, additional_authenticated_data)
        result: EncryptResult = await self._do(asked, kwargs)
        return result

    @distributed_trace_async
    async def decrypt(
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
        result: DecryptResult = await self._do(asked, kwargs)
        return result

    @distributed_trace_async
    async def wrap_key(self, algorithm: KeyWrapAlgorithm | str, key: bytes, **kwargs: Any) -> WrapResult:
        result: WrapResult = await self._do(_decide.wrap_key(algorithm, key), kwargs)
        return result

    @distributed_trace_async
    async def unwrap_key(
        self, algorithm: KeyWrapAlgorithm | str, encrypted_key: bytes | WrapResult, **kwargs: Any
    ) -> UnwrapResult:
        result: UnwrapResult = await self._do(_decide.unwrap_key(algorithm, encrypted_key), kwargs)
        return result

    @distributed_trace_async
    async def sign(self, algorithm: SignatureAlgorithm | str, digest: bytes, **kwargs: Any) -> SignResult:
        result: SignResult = await self._do(_decide.sign(algorithm, digest), kwargs)
        return result

    @distributed_trace_async
    async def verify(
        self, algorithm: SignatureAlgorithm | str, digest: bytes, signature: bytes | SignResult, **kwargs: Any
    ) -> VerifyResult:
        result: VerifyResult = await self._do(_decide.verify(algorithm, digest, signature), kwargs)
        return result

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Any
    ) -> Awaitable[AsyncHttpResponse]:
        """The SDK's ``send_request``: gives the response, whatever its status."""
        kwargs[RAW] = True
        return super().send_request(request, stream=stream, **kwargs)

    async def close(self) -> None:
        """Give back the lease on the connection; a client of ``get_cryptography_client`` has none of its own."""
        if self._holds_lease:
            self._holds_lease = False
            await self._key_client.close()

    async def __aenter__(self) -> CryptographyClient:
        if self._holds_lease:
            await self._key_client.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self.close()

    async def _do(self, asked: Asked, kwargs: dict[str, Any]) -> Any:
        job = self._job(asked, kwargs)
        if job.needs_key:
            await self._fetch_for(job, kwargs)
        if self._is_local(job):
            return self._perform(job)
        operation = getattr(self._client, asked.method)
        return self._answer(job, await operation(**self._request(job, kwargs)))

    async def _fetch_for(self, job: Job, kwargs: dict[str, Any]) -> None:
        self._learned(
            job, await fetch_once(self._store, job.name, lambda: self._fetch(job.name, kwargs), self._turn(job, kwargs))
        )

    async def _fetch(self, name: Name, kwargs: dict[str, Any]) -> Known:
        now = self._clock.monotonic()
        try:
            bundle = await self._client.get_key(self._name, name.version, **kwargs)
        except HttpResponseError as error:
            return self._refused(name, now, error)
        return self._fetched(now, bundle)

    async def _look_up(self, **kwargs: Any) -> Known:
        """The key, fetched if need be."""
        job = self._job(_decide.LOOK, kwargs)
        if job.known is None:
            await self._fetch_for(job, kwargs)
        assert job.known is not None
        return job.known

    async def _initialize(self, **kwargs: Any) -> None:
        """The SDK's name for it."""
        await self._look_up(**kwargs)
