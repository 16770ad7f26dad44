"""A small application that reads its configuration from Key Vault when it starts, and again as it works.

It works with the SDK as it is; ``safekv demo`` runs it both ways. One line is safekv's: the import.
"""

import os
from concurrent.futures import ThreadPoolExecutor

from azure.identity import DefaultAzureCredential

from safekv.secrets import SecretClient

VAULT_URL = os.environ["AZURE_KEY_VAULT_URL"]
NAMES = [f"app-setting-{number:02}" for number in range(50)]
JOBS = 100

credential = DefaultAzureCredential()


def read_setting(name: str) -> str:
    """Makes a client of its own, as functions in real applications do."""
    client = SecretClient(VAULT_URL, credential)
    return client.get_secret(name).value or ""


def load_settings() -> dict[str, str]:
    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(NAMES, pool.map(read_setting, NAMES), strict=True))


def do_job(number: int) -> bool:
    """Needs one of the settings, and does not know that it has been read before."""
    return bool(read_setting(NAMES[number % len(NAMES)]))


if __name__ == "__main__":
    settings = load_settings()
    print(f"{sum(map(bool, settings.values()))} settings loaded, {sum(map(do_job, range(JOBS)))} jobs done")
