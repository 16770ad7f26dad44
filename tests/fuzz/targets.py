"""One function for each parser: bytes in, nothing out, and no exception but the parser's own.

``SEEDS`` are where a fuzzer begins. ``tests/unit/test_fuzzing.py`` runs each on its seeds, changed a little;
``tests.fuzz.run`` gives them to atheris.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest._requests_basic import RestRequestsTransportResponse
from requests import PreparedRequest, Response

from safekv._identifiers import key_id, vault_url
from safekv.config._dotenv import read_dotenv
from safekv.config._references import Vaults, is_reference, parse
from safekv.connection import _registry
from safekv.envelope import DecryptionFailed, InvalidRing, NotEncrypted
from safekv.envelope._framing import Framing
from safekv.envelope._jwe import Recipient, seal
from safekv.envelope._jwe import parse as parse_ring
from safekv.envelope._keys import from_jwks, new_keys, to_jwks
from safekv.envelope._opened import Opened
from safekv.envelope._preamble import length_of
from safekv.envelope._preamble import parse as parse_preamble
from safekv.envelope._stream import decrypt_stream, encrypt_stream
from safekv.errors import InvalidArgument
from safekv.errors._explaining import explain
from safekv.errors._reading import facts_in, read_body, without_tokens
from safekv.resilience._retry_after import retry_after
from safekv.secrets import SecretClient

Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {}
SEEDS: dict[str, list[bytes]] = {}


def target(*seeds: bytes | str) -> Callable[[Target], Target]:
    def enter(function: Target) -> Target:
        TARGETS[function.__name__] = function
        SEEDS[function.__name__] = [seed.encode() if isinstance(seed, str) else seed for seed in seeds]
        return function

    return enter


# -- what the service sends


@target("10", "Wed, 21 Oct 2026 07:28:00 GMT", "1e400", "nan", "-5", "0x10", "2026-10-21T07:28:00Z")
def retry_after_header(data: bytes) -> None:
    text = data.decode("latin-1")
    for name in ("retry-after", "retry-after-ms"):
        wait = retry_after({name: text}, 1_790_000_000.0)
        assert wait is None or (math.isfinite(wait) and wait > 0)


@target(
    '{"error":{"code":"Forbidden","message":"The user, group or application \'appid=1;oid=2;iss=3\' does not have '
    'secrets get permission on key vault \'v;location=westeurope\'.","innererror":{"code":"AccessDenied"}}}',
    '{"error":{"code":"Forbidden","message":"Caller is not authorized to perform action on resource.\\r\\nCaller: '
    "appid=1;oid=2\\r\\nAction: 'a'\\r\\nResource: '/subscriptions/1'\\r\\nAssignment: (not found)\"}}",
    '{"error":null}',
    "[]",
)
def error_body(data: bytes) -> None:
    said = read_body(data)
    text = data.decode("utf-8", "replace")
    facts_in(said.message or text, {"x-ms-keyvault-network-info": text, "x-ms-keyvault-region": text})
    without_tokens(text)
    explain(text)


class _Challenging(HttpTransport):
    """A vault that answers every request with one challenge."""

    def __init__(self, challenge: str) -> None:
        self._challenge = challenge

    def send(self, request: object, **_: object) -> RestRequestsTransportResponse:
        answer = Response()
        answer.status_code, answer.raw = 401, io.BytesIO(b"")
        answer.headers["WWW-Authenticate"] = self._challenge
        answer.request = PreparedRequest()
        answer._content = b""
        return RestRequestsTransportResponse(request=request, internal_response=answer)

    def open(self) -> None: ...
    def close(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@target(
    'Bearer authorization="https://login.microsoftonline.com/72f988bf", resource="https://vault.azure.net"',
    'Bearer authorization="https://evil.example/t", resource="https://evil.example"',
    'Bearer authorization=https://login.windows.net/t, resource=https://vault.azure.net, error="insufficient_claims", '
    'claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="',
    'Bearer authorization="https://login.microsoftonline.com/t", resource="https://v[ault.azure.net"',
    'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault:azure.net"',
    'Bearer authorization="https://login.microsoftonline.com/t", resource="https://net"',
    "Basic realm=x",
    "Bearer",
)
def challenge(data: bytes) -> None:
    """Through the SDK's own parser and safekv's pipeline: a failure with a type, and no token elsewhere."""
    asked: list[str] = []

    class Credential:
        def get_token(self, *scopes: str, **_: object) -> AccessToken:
            asked.extend(scopes)
            return AccessToken("a token", 4_000_000_000)

    header = data.decode("latin-1").replace("\r", " ").replace("\n", " ")
    before = _registry.replace(_registry.Registry())
    try:
        options = {"transport": _Challenging(header), "timeout": 0.2, "cache": None}
        with SecretClient("https://my-vault.vault.azure.net", Credential(), **options) as client:
            client.get_secret("a")
    except AzureError:
        pass
    finally:
        _registry.replace(before)
    for scope in asked:
        # The SDK takes any domain that the vault's host lies in, up to "https://net", which Entra has no token for.
        host = urlsplit(scope).hostname or scope
        assert "my-vault.vault.azure.net".endswith(f".{host.lower()}"), "a token for another host was asked for"


# -- what configuration says


@target(
    "kv://corporate-vault/a-name-of-ours",
    "@Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/secrets/a/0123456789abcdef0123456789abcdef)",
    "@Microsoft.KeyVault(VaultName=my-vault;SecretName=a;SecretVersion=)",
    "@Microsoft.KeyVault(SecretUri=https://vault.azure.net.evil.example/secrets/a)",
    "kv://my-vault.vault.azure.net@evil.example/a",
)
def reference(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    is_reference(text)
    try:
        found = parse(text, Vaults())
    except InvalidArgument:
        return
    assert _is_key_vaults(found.vault), found.vault


def _is_key_vaults(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    domains = ("azure.net", "azure.cn", "usgovcloudapi.net", "microsoftazure.de")
    return url.startswith("https://") and any(host.endswith((f".vault.{it}", f".managedhsm.{it}")) for it in domains)


@target(
    "https://my-vault.vault.azure.net", "my-vault", "https://[::1]:8443/", "https://my-vault.vault.azure.net/keys/k/v"
)
def address(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for parser in (vault_url, key_id):
        try:
            parser(text)
        except InvalidArgument:  # noqa: PERF203
            continue


@target("A=1\nB='x y'\nexport C=\"a\\n$\"\n# no\nD=${A:-2}\n", "A", "=\n", "A='\n'\nB=${")
def dotenv(data: bytes) -> None:
    try:
        values, lines = read_dotenv(data.decode("utf-8", "replace"), {"HOME": "/"})
    except InvalidArgument:
        return
    assert isinstance(values, Mapping)
    assert set(values) == set(lines)


# -- what was encrypted

_KEYS = new_keys("XAES-256-GCM", 1_790_000_000.0)
_OPENED = Opened(_KEYS, math.inf, math.inf, 1)
_RECORD = _OPENED.sealer.seal(b"some data", b"aad")
_FRAMING = Framing(b"aad", False, 1 << 16)


def _stream(content: bytes) -> bytes:
    sink = io.BytesIO()
    encrypt_stream(_OPENED, content, sink, _FRAMING)
    return sink.getvalue()


_STREAM = _stream(b"some content")


_RECIPIENT = Recipient("RSA-OAEP-256", "https://my-vault.vault.azure.net/keys/k/0123456789abcdef", bytes(256))


@target(_RECORD, _RECORD[:20], b"", b"\x01" * 60)
def record(data: bytes) -> None:
    try:
        opened = _OPENED.openers.open(data, b"aad")
    except DecryptionFailed:
        return
    assert (data, opened) == (_RECORD, b"some data"), "a forgery"


@target(
    seal(to_jwks(_KEYS), bytes(32), (_RECIPIENT,)).to_json(),
    '{"protected":"e30","recipients":[],"iv":"","ciphertext":"","tag":""}',
)
def ring(data: bytes) -> None:
    try:
        document = parse_ring(data)
        document.open(bytes(32))
    except (InvalidRing, DecryptionFailed):
        return


@target(to_jwks(_KEYS), b'{"keys":[],"shredded":[],"version":1}', json.dumps({"keys": [{}], "version": 1}))
def ring_content(data: bytes) -> None:
    try:
        from_jwks(data)
    except InvalidRing:
        return


@target(_STREAM[:44], b"", _STREAM[:12])
def preamble(data: bytes) -> None:
    try:
        length_of(data[:12])
        parse_preamble(data)
    except NotEncrypted:
        return


@target(_STREAM, _stream(b""), _STREAM[:-1], _STREAM[:60])
def stream(data: bytes) -> None:
    sink = io.BytesIO()
    try:
        decrypt_stream(_OPENED, data, sink, _FRAMING)
    except DecryptionFailed:
        return
    assert sink.getvalue() in (b"some content", b""), "a forgery"
    assert data in SEEDS["stream"], "a change that nobody noticed"
