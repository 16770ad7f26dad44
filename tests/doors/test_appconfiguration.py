"""The resolver for App Configuration's provider: one batch for each load and refresh, and errors that end it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.core.exceptions import AzureError

from safekv.errors import InvalidArgument, LoadError
from safekv.integrations.appconfiguration import Resolver
from safekv.testing import LocalKeyVault

URIS = [f"https://{vault}.vault.azure.net/secrets/s{number}" for vault in ("local", "two") for number in range(10)]


@pytest.fixture
def vaults(local: LocalKeyVault) -> Iterator[LocalKeyVault]:
    for vault in ("local", "two"):
        for number in range(12):
            local.set_secret(f"s{number}", f"{vault} {number}", vault=vault)
    with local:
        yield local


def test_all_references_are_one_batch_and_so_is_each_refresh(vaults: LocalKeyVault) -> None:
    with Resolver(URIS) as resolver:
        assert resolver(URIS[3]) == "local 3"
        requests = len(vaults.journal)
        assert [resolver(uri) for uri in URIS if uri != URIS[3]][-1] == "two 9"
        assert len(vaults.journal) == requests == 22  # two of them are the 401s
        vaults.set_secret("s3", "new")
        assert resolver(URIS[3]) == "new"
        assert len(vaults.journal) == requests + 20
        assert resolver("https://two.vault.azure.net/secrets/s11") == "two 11"  # not foreseen
    assert "local 3" not in repr(resolver)


def test_what_stays_wrong_is_no_error_of_azures_so_that_it_is_not_tried_again(vaults: LocalKeyVault) -> None:
    with Resolver([*URIS, "https://two.vault.azure.net/secrets/gone"]) as resolver:
        with pytest.raises(LoadError, match="gone") as caught:
            resolver(URIS[0])
        assert not isinstance(caught.value, AzureError)


def test_what_passes_is_an_error_of_azures(vaults: LocalKeyVault) -> None:
    with Resolver(URIS, timeout=2) as resolver:
        fault = vaults.fail(operation="get_secret", status=503, count=None)
        with pytest.raises(AzureError):
            resolver(URIS[0])
        fault.remove()
        vaults.advance(seconds=60)
        assert resolver(URIS[0]) == "local 0"


def test_a_uri_of_another_host_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="not a host of Key Vault's"):
        Resolver(["https://evil.example.com/secrets/a"])
