"""What importing costs: which modules it loads."""

from __future__ import annotations

import pytest

from .conftest import Run

pytestmark = pytest.mark.sockets

LOADED = """
import sys
loaded = {name.partition(".")[0] for name in sys.modules}
"""


def test_importing_safekv_loads_nothing_of_azure(run: Run) -> None:
    run("import safekv; assert safekv.__version__" + LOADED + "assert not loaded & {'azure', 'requests', 'msal'}")


def test_the_door_to_secrets_loads_little_more_than_the_sdk(run: Run) -> None:
    """Not azure-identity (0.3 s), requests (0.1 s), aiohttp, the emulator or what only later features need."""
    run(
        "from safekv.secrets import SecretClient"
        + LOADED
        + "assert not loaded & {'requests', 'msal', 'aiohttp', 'tenacity', 'cachetools', 'cryptography'}, loaded\n"
        + "assert not any(name.startswith(('azure.identity', 'safekv.emulator')) for name in sys.modules)"
    )


@pytest.mark.parametrize("door", ["keys", "keys.crypto", "certificates"])
def test_the_other_doors_load_little_more_than_the_sdk(run: Run, door: str) -> None:
    allowed = "set()" if door == "certificates" else "{'cryptography'}"  # which the SDK loads for keys
    run(
        f"import safekv.{door}, safekv.{door}.aio"
        + LOADED
        + "unwanted = {'requests', 'msal', 'aiohttp', 'tenacity', 'cachetools', 'cryptography'}\n"
        + f"assert not loaded & unwanted - {allowed}, loaded\n"
        + "assert not any(name.startswith(('azure.identity', 'safekv.emulator')) for name in sys.modules)"
    )
