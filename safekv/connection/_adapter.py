"""The requests adapter of a connection. Imported only when a connection is opened."""

from __future__ import annotations

from typing import Any

import certifi
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest, Response
from urllib3.util.retry import Retry
from urllib3.util.timeout import Timeout

from safekv.connection._call import UNDER_WAY
from safekv.connection._punctual import PunctualSocket
from safekv.connection._tls import Certificate, ssl_context


class PooledAdapter(HTTPAdapter):
    """A pool of ``pool_size`` connections that share one SSL context.

    urllib3 would otherwise read and parse the CA bundle again for every connection, which
    costs more than the handshake.
    """

    def __init__(self, pool_size: int, *, verify: bool | str, certificate: Certificate) -> None:
        self._trust = (verify, certificate)
        self._context = ssl_context(certifi.where() if verify is True else verify, certificate) if verify else None
        if self._context is not None:
            self._context.sslsocket_class = PunctualSocket
        never = Retry(total=False, redirect=False, raise_on_status=False)  # repeating is the policy's business
        super().__init__(pool_connections=4, pool_maxsize=pool_size, max_retries=never)

    def build_connection_pool_key_attributes(self, request: PreparedRequest, verify: Any, cert: Any = None) -> Any:
        if not self._ours(verify, cert):
            return super().build_connection_pool_key_attributes(request, verify, cert)
        # Asked about the default bundle, so that it does not look for ours on the disk at every request.
        host, _ = super().build_connection_pool_key_attributes(request, True)
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        if not self._ours(verify, cert):
            super().cert_verify(conn, url, verify, cert)

    def send(
        self, request: PreparedRequest, stream: bool = False, timeout: Any = None, *rest: Any, **more: Any
    ) -> Response:
        """Connecting and the first byte together take no longer than the call has left."""
        call = UNDER_WAY.get()
        if call is not None and isinstance(timeout, tuple):
            connect, read = timeout
            timeout = Timeout(connect=connect, read=read, total=max(0.001, call.flow.remaining()))
        return super().send(request, stream, timeout, *rest, **more)

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """An error keeps its response, and that its request: there without token and body. See ``without_secrets``."""
        response = super().build_response(req, resp)
        if response.status_code >= 400:
            response.request = req.copy()
            response.request.body = None
            response.request.headers.pop("Authorization", None)
        return response

    def _ours(self, verify: Any, cert: Any) -> bool:
        return self._context is not None and (verify, cert) == self._trust
