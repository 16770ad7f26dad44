"""Microsoft's tests and samples, from the source distribution of the installed version. None is kept here."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

CACHE = "SAFEKV_SDIST_CACHE"


def unpacked(distribution: str, directory: Path) -> Path:
    """Unpack the sdist into ``directory``; returns its root, with ``tests/`` and ``samples/``."""
    archive = _downloaded(distribution, Path(os.environ.get(CACHE) or directory))
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # security releases of Python have it, distributions' own may not
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(directory)
    return directory / archive.name.removesuffix(".tar.gz")


def _downloaded(distribution: str, directory: Path) -> Path:
    """The archive in ``directory``; pip brings it there unless it is there already."""
    archive = directory / f"{distribution.replace('-', '_')}-{version(distribution)}.tar.gz"
    if not archive.exists():
        directory.mkdir(parents=True, exist_ok=True)
        download = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(directory)]
        subprocess.run(
            [sys.executable, "-m", "pip", *download, f"{distribution}=={version(distribution)}"],
            check=True,
            timeout=300,
        )
    return archive
