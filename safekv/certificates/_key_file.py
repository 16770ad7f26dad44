"""Handing a private key to ``ssl``, which reads keys from files only, so that nothing is left behind.

On Linux the file is in memory (``memfd_create``), and gone with its descriptor. Elsewhere it is
in a directory that only the user can enter, and is removed at once. In both cases the key in
it is encrypted with a password that exists for this one call: what a crash leaves is useless.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def load_into(context: ssl.SSLContext, pem: Callable[[bytes], bytes]) -> None:
    """Load a chain with its key into ``context``. ``pem`` gives it, the key encrypted with a password."""
    import secrets

    password = secrets.token_hex(32).encode()
    content = pem(password)
    with _in_memory(content) as path:
        if path is not None:
            context.load_cert_chain(path, password=password)
            return
    _by_directory(context, content, password)


def _by_directory(context: ssl.SSLContext, content: bytes, password: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="safekv-") as directory:  # its mode is 0700
        file = os.path.join(directory, "key.pem")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
        context.load_cert_chain(file, password=password)


@contextmanager
def _in_memory(content: bytes) -> Iterator[str | None]:
    """The path of a file that is in memory; None where there are no such files."""
    if not hasattr(os, "memfd_create"):
        yield None
        return
    descriptor = os.memfd_create("safekv", os.MFD_CLOEXEC)
    try:
        path = f"/proc/self/fd/{descriptor}"
        with os.fdopen(os.dup(descriptor), "wb") as out:
            out.write(content)
        yield path if os.path.exists(path) else None
    finally:
        os.close(descriptor)
