"""Whom to trust: one SSL context per trust setting and process, not one per request."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache

#: What azure-core's ``connection_cert`` may be: a file, or (certificate, key) files.
Certificate = str | tuple[str, str] | None

_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def trusted_bundle(verify: bool | str, environ: Mapping[str, str] = os.environ) -> bool | str:
    """``verify``, or where it is just True the bundle that the environment names.

    ``requests`` reads these variables only together with the proxy settings, which cost a
    scan of the environment at every request; here they are read once.
    """
    if verify is not True:
        return verify
    return next((environ[name] for name in _VARIABLES if environ.get(name)), True)


def _advice(bundle: str, environ: Mapping[str, str] = os.environ) -> str:
    named = [name for name in (*_VARIABLES, "SSL_CERT_FILE") if environ.get(name) == bundle]
    if not named:
        return "Give the path of a file with certificates, or of a directory."
    gone = " The emulator that these variables are of has ended." if "SAFEKV_EMULATOR_VAULTS" in environ else ""
    return f"It is in {', '.join(named)}: correct or unset {'it' if len(named) == 1 else 'them'}.{gone}"


@lru_cache(maxsize=16)
def ssl_context(bundle: str | None, certificate: Certificate = None) -> ssl.SSLContext:
    """A verifying context for a CA file or directory (None: the system's, or SSL_CERT_FILE)."""
    if bundle and not os.path.exists(bundle):
        raise OSError(f"Could not find a suitable TLS CA certificate bundle, invalid path: {bundle}\n{_advice(bundle)}")
    directory = bool(bundle) and os.path.isdir(bundle or "")
    context = ssl.create_default_context(cafile=None if directory else bundle, capath=bundle if directory else None)
    if certificate:
        context.load_cert_chain(*([certificate] if isinstance(certificate, str) else certificate))
    return context
