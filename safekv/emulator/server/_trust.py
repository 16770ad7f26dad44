"""The file of certificates that the emulator's clients trust: its own authority's, and all that were trusted before.

Variables such as ``SSL_CERT_FILE`` replace what a program trusts by default. With the emulator's certificate alone, a
program that has its variables could reach the emulator and nothing else.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from safekv.emulator.server._authority import NAME

#: requests reads the first, or else the third; aiohttp (through ssl) and most programs the second, curl the third.
VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----")
_MOST_FILES = 2_000  # of a directory
_MOST_BYTES = 16 * 1024 * 1024  # of a file


def bundle(own: bytes, environ: Mapping[str, str] = os.environ) -> bytes:
    """A PEM file's content: ``own`` first, then what the environment has trusted so far.

    That is what the variables name, or where one names nothing, what programs trust by default. Authorities of other
    emulators are left out: a shell may still have the variables of one that has ended.
    """
    found = [own.strip()]
    for before in (_of_requests(environ), _of_others(environ)):
        found += before
    return b"\n".join(dict.fromkeys(found)) + b"\n"


def _of_requests(environ: Mapping[str, str]) -> list[bytes]:
    named = (environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    return _first(*named, _certifis())


def _of_others(environ: Mapping[str, str]) -> list[bytes]:
    system = ssl.get_default_verify_paths()
    directories = (environ.get("SSL_CERT_DIR") or system.openssl_capath).split(os.pathsep)
    found = _first(environ.get("SSL_CERT_FILE"), system.openssl_cafile, *directories)
    return found + _first(environ.get("CURL_CA_BUNDLE"))


def _first(*places: str | None) -> list[bytes]:
    """The certificates of the first place that has any."""
    return next((found for place in places if place and (found := list(_certificates(place)))), [])


def _certificates(place: str) -> Iterator[bytes]:
    """Those in a file, or in the files of a directory, as PEM, without those of emulators."""
    for file in _files(Path(place)):
        for pem in _CERTIFICATE.findall(_content(file).replace(b"\r", b"")):
            if not _is_emulators(pem):
                yield pem


def _files(place: Path) -> Iterable[Path]:
    try:
        return sorted(place.iterdir())[:_MOST_FILES] if place.is_dir() else [place]
    except OSError:
        return []


def _content(file: Path) -> bytes:
    """Nothing of what cannot be read: then the programs so far could not, either."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError:
        return b""


def _is_emulators(pem: bytes) -> bool:
    try:
        return NAME.encode() in ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))
    except ValueError:  # not base64: whoever reads the file must not stumble over it
        return True


def _certifis() -> str | None:
    """Where requests has its authorities."""
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()
