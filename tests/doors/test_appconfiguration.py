"""The resolver for App Configuration's provider: one batch for each load and refresh, and errors that end it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import HttpTransport

import safekv
from safekv.emulator._messages import Response
from safekv.emulator.in_process._responses import EmulatorResponse
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


def gone(vaults: LocalKeyVault, uri: str) -> None:
    with vaults.vault("two").secrets as client:
        client.begin_delete_secret(uri.rpartition("/")[2]).wait()


def test_what_was_read_and_not_asked_for_does_not_stand_in_later(vaults: LocalKeyVault) -> None:
    first, last = URIS[0], URIS[-1]
    with Resolver(URIS, timeout=20) as resolver:
        assert resolver(first) == "local 0"
        vaults.set_secret("s9", "new", vault="two")
        vaults.advance(seconds=21)
        assert resolver(last) == "new"
        assert resolver(first) == "local 0"
        gone(vaults, last)
        vaults.advance(seconds=365 * 86_400)
        with pytest.raises(LoadError, match="s9 of two"):
            resolver(last)


@pytest.mark.parametrize("listed", [True, False])
def test_what_nobody_refers_to_any_more_may_be_gone(vaults: LocalKeyVault, *, listed: bool) -> None:
    asked, other = URIS[0], URIS[-1]
    with Resolver([asked, other] if listed else []) as resolver:
        assert [resolver(asked), resolver(other)] == ["local 0", "two 9"]
        gone(vaults, other)
        assert [resolver(asked), resolver(asked)] == ["local 0", "local 0"]
        with pytest.raises(LoadError, match="s9 of two"):
            resolver(other)


def test_what_is_not_listed_is_read_by_itself_and_takes_nothing_from_the_rest(vaults: LocalKeyVault) -> None:
    with Resolver(URIS) as resolver:
        resolver(URIS[0])
        requests = len(vaults.journal)
        assert resolver("https://two.vault.azure.net/secrets/s11") == "two 11"
        assert resolver(URIS[-1]) == "two 9"
        assert len(vaults.journal) == requests + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_does_not_wait_for_a_thread_of_its_parent(vaults: LocalKeyVault) -> None:
    reads, go = threading.Event(), threading.Event()

    def stuck(_: Any) -> None:
        reads.set()
        assert go.wait(30)

    with Resolver(URIS) as resolver:
        unsubscribe = safekv.subscribe(stuck)
        thread = threading.Thread(target=resolver, args=(URIS[0],))
        thread.start()
        try:
            assert reads.wait(30)
            child = os.fork()
            if not child:
                answered_in_child(resolver, unsubscribe)
            ended = os.waitpid(child, 0)[1]
        finally:
            unsubscribe()
            go.set()
            thread.join()
    assert os.waitstatus_to_exitcode(ended) == 0


def answered_in_child(resolver: Resolver, unsubscribe: Callable[[], None]) -> None:
    code = 1
    try:
        signal.alarm(10)  # ends it if it hangs
        unsubscribe()
        code = resolver(URIS[0]) != "local 0"
    finally:
        os._exit(code)


def test_a_uri_of_another_host_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="not a host of Key Vault's"):
        Resolver(["https://evil.example.com/secrets/a"])


# With the provider itself


class Store(HttpTransport[Any, Any]):
    """As much of App Configuration as a load needs: its settings, three of which are references."""

    def __init__(self, uris: dict[str, str]) -> None:
        kind = "application/vnd.microsoft.appconfig.keyvaultref+json;charset=utf-8"
        made = [{"key": key, "content_type": kind, "value": json.dumps({"uri": uri})} for key, uri in uris.items()]
        self._body = json.dumps({"items": [*made, {"key": "level", "value": "info"}]}).encode()

    def send(self, request: Any, **_: Any) -> EmulatorResponse:
        return EmulatorResponse(request, Response(200, {"Content-Type": "application/json"}, self._body))

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class StoreCredential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("of-the-store", int(time.time()) + 3600)


def loaded(uris: dict[str, str]) -> dict[str, Any]:
    provider = pytest.importorskip("azure.appconfiguration.provider")
    with Resolver(uris.values()) as resolver:
        config = provider.load(
            endpoint="https://store.azconfig.io",
            credential=StoreCredential(),
            secret_resolver=resolver,
            transport=Store(uris),
        )
        return dict(config)


def test_the_provider_has_plain_settings_and_all_secrets_of_one_batch(vaults: LocalKeyVault) -> None:
    uris = {f"app/{number}": uri for number, uri in enumerate(URIS)}
    config = loaded(uris)
    assert (config["level"], config["app/3"], config["app/19"]) == ("info", "local 3", "two 9")
    assert len(vaults.journal) == 22


def test_the_provider_ends_with_what_stays_wrong(vaults: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the resolver: 95 s, and a TimeoutError."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with pytest.raises(LoadError, match=r"secrets/gone \(gone of local") as caught:
        loaded(
            {
                "db": "https://local.vault.azure.net/secrets/gone",
                "a": URIS[0],
                "b": "https://two.vault.azure.net/secrets/no",
            }
        )
    assert len(caught.value.failures) == 2
    assert sum(slept) <= 5  # before any error
