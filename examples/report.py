"""A command-line program: secrets, variables and a file are its settings, and a laptop needs no vault.

AZURE_KEY_VAULT_URL=https://my-vault.vault.azure.net python examples/report.py
SAFEKV_OFFLINE=1 REPORT__TOKEN=x REPORT__CUSTOMERS='["a"]' python examples/report.py
"""

import sys
from dataclasses import dataclass

import safekv
from safekv.errors import SafeKVError


@dataclass
class Report:
    """The secrets report--token and report--customers (JSON), or REPORT__TOKEN and so on."""

    token: safekv.Secret
    customers: list[str]
    title: str = "Report"


def main() -> None:
    report = safekv.load_as(Report, prefix="report--", sources=("environment", ".env", "report.toml", "vault"))
    print(f"{report.title} for {', '.join(report.customers)}")


if __name__ == "__main__":
    try:
        main()
    except SafeKVError as error:
        sys.exit(str(error))
