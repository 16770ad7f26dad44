"""The attestation service that the tests of key release ask: it vouches for whoever asks."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric import rsa

from safekv.emulator._base64url import encode


def serve() -> ThreadingHTTPServer:
    """Answers on a port of the loopback interface until it is shut down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, name="attestation", daemon=True).start()
    return server


def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def token(issuer: str) -> str:
    """For an environment with a key of its own, with the claim that the tests' policies ask for."""
    numbers = rsa.generate_private_key(65_537, 2048).public_key().public_numbers()
    jwk = {"kty": "RSA", "kid": "environment", "key_ops": ["encrypt"]}
    jwk |= {name: encode(number.to_bytes((number.bit_length() + 7) // 8, "big")) for name, number in vars_of(numbers)}
    claims = {"iss": issuer, "sdk-test": True, "x-ms-runtime": {"keys": [jwk]}}
    return ".".join((*(encode(json.dumps(part).encode()) for part in ({"alg": "none"}, claims)), ""))


def vars_of(numbers: rsa.RSAPublicNumbers) -> tuple[tuple[str, int], ...]:
    return ("e", numbers.e), ("n", numbers.n)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"token": token(f"http://{self.headers['Host']}")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
