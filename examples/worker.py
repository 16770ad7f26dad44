"""A worker: its configuration is complete before it starts, follows the vault while it works, and SIGTERM ends it.

AZURE_KEY_VAULT_URL=https://my-vault.vault.azure.net python examples/worker.py [SECONDS BETWEEN LOOKS]
"""

import signal
import sys
import threading
from dataclasses import dataclass

import safekv
from safekv.errors import SafeKVError


@dataclass
class Settings:
    """The secrets worker--queue-url, worker--api-key, and perhaps worker--batch-size."""

    queue_url: str
    api_key: safekv.Secret
    batch_size: int = 10


def main(interval: float) -> None:
    settings = safekv.load_as(Settings, prefix="worker--")
    ending, changed = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    with safekv.watch(["worker--api-key"], interval=interval) as live:
        live.on_change(lambda keys: changed.set())  # the work itself reconnects, where it can
        print("ready:", settings, flush=True)
        while not ending.wait(0.05):  # work would be here
            if changed.is_set():
                changed.clear()
                print("connects again, with a key of", len(live["worker--api-key"]), "characters", flush=True)
    print("ended", flush=True)


if __name__ == "__main__":
    try:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
    except SafeKVError as error:
        sys.exit(str(error))  # every setting that is missing, forbidden, disabled or malformed, and what to do
