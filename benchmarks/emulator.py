"""``safekv emulator`` in a process of its own, for benchmarks over real sockets."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def emulator_process(*limits: str) -> Iterator[str]:
    """The URL of its vault; its variables are in this process's environment. ``limits``: ``other=400``, say."""
    with tempfile.TemporaryDirectory() as directory:
        ready = Path(directory, "ready.json")
        command = [sys.executable, "-m", "safekv", "emulator", "--format", "json", "--ready-file", str(ready)]
        process = subprocess.Popen(
            [*command, *(part for limit in limits for part in ("--limit", limit))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 20
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the emulator did not start: run `safekv emulator` to see why")
                time.sleep(0.05)
            os.environ.update(json.loads(ready.read_text()))
            for name in ("NO_PROXY", "no_proxy"):  # nobody has these set for a vault; they spare the SDK a search
                os.environ.pop(name, None)
            yield os.environ["AZURE_KEY_VAULT_URL"]
        finally:
            process.terminate()
            process.wait(10)


def control(url: str, method: str, endpoint: str, body: Any = None) -> Any:
    """Ask the emulator itself: ``control(url, "GET", "journal")``."""
    request = urllib.request.Request(
        f"{url.rstrip('/')}/_emulator/{endpoint}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    trust = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    with urllib.request.urlopen(request, context=trust) as response:
        return json.load(response)
