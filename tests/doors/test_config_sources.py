"""Sources in the order that the call says, working without a vault, and the snapshot that stands in for one."""

from __future__ import annotations

import os
import pickle
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from colours import Colour
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from loading import Loading, loading_from

import safekv
import safekv.identity.aio
from safekv.envelope import Encryptor, KeyRing, Wrapped
from safekv.errors import InvalidArgument, LoadError
from safekv.testing import LocalKeyVault


@pytest.fixture
def loading(colour: Colour, local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Loading]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAFEKV_OFFLINE", raising=False)
    for name in ("db--host", "db--port", "api-key"):
        local.set_secret(name, f"vault {name}")
    with loading_from(colour, local, monkeypatch) as loading:
        yield loading


SOURCES = ("environment", ".env", "settings.toml", "vault", {"sentry_dsn": "fallback", "api-key": "not this"})


def test_the_first_source_that_has_a_value_counts(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB__HOST", "environment")
    Path(".env").write_text("DB__HOST=dotenv\nDB__PORT=dotenv\n")
    Path("settings.json").write_text('{"db": {"port": 5, "name": "file"}, "list": [1]}')
    sources = ("environment", ".env", "settings.json", "absent.toml", "vault", SOURCES[-1])
    config = loading.load(["db--host", "db--port", "db--name", "api-key", "sentry-dsn", "list"], sources=sources)
    assert dict(config) == {
        "db--host": "environment",
        "db--port": "dotenv",
        "db--name": "file",
        "api-key": "vault api-key",
        "sentry-dsn": "fallback",
        "list": "[1]",
    }
    assert loading.asked() == 2  # what is there already is not asked for


def test_a_local_value_may_be_a_reference(loading: Loading) -> None:
    sources = ({"API_KEY": "kv://local/db--host"}, "vault")
    assert loading.load({"api-key": "api-key"}, sources=sources)["api-key"] == "vault db--host"


def test_a_key_of_the_applications_own(loading: Loading) -> None:
    assert loading.load({"DATABASE": "db--host"}, sources=[{"database": "mine"}])["DATABASE"] == "mine"


def test_offline_uses_only_local_sources_and_says_what_is_missing(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFEKV_OFFLINE", "1")
    monkeypatch.delenv("AZURE_KEY_VAULT_URL")
    config = loading.load(["db--host"], optional=["x"], sources=[{"DB__HOST": "mine"}, "vault"])
    assert dict(config) == {"db--host": "mine"}
    with pytest.raises(LoadError) as caught:
        loading.load(["db--host", "api-key", "db--port"], sources=[{"DB__HOST": "mine"}, "vault"])
    assert list(caught.value.failures) == ["api-key", "db--port"]
    text = str(caught.value)
    assert "api-key (api-key): No local source (a mapping) has it, and SAFEKV_OFFLINE leaves the vault out.\n" in text
    assert "\n  api-key: Give API_KEY in one of them." in text
    for call in (
        lambda: loading.load(prefix="db--"),
        lambda: loading.resolve({"a": "kv://local/greeting"}),
        lambda: loading.load_environ(["api-key"], environ={}),
    ):
        with pytest.raises(LoadError, match="SAFEKV_OFFLINE"):
            call()
    with pytest.raises(LoadError, match="load, load_as, watch"):
        loading.watch(["db--host"])
    live = loading.watch(["db--host"], sources=[{"DB__HOST": "mine"}, "vault"])
    assert dict(live) == {"db--host": "mine"}
    loading.colour.run(live.stop())
    assert loading.asked() == loading.challenges() == 0


def test_models(loading: Loading) -> None:
    @dataclass
    class Database:
        host: str
        port: int

    assert loading.load_as(Database, prefix="db--", sources=[{"db": {"port": 5}}, "vault"]) == Database(
        "vault db--host", 5
    )


@pytest.mark.parametrize(
    ("sources", "message"),
    [("vault", "sources must be several"), ([5], "source cannot be a int"), (["bad.env"], r"bad\.env:1")],
)
def test_bad_sources_are_refused(loading: Loading, sources: Any, message: str) -> None:
    Path("bad.env").write_text("=x\n")
    with pytest.raises(InvalidArgument, match=message):
        loading.load(["api-key"], sources=sources)


class Kek:
    """A key in another place than the vault that is unreachable."""

    algorithm, kid, address = (
        "A256KW",
        "https://other.vault.azure.net/keys/kek/0",
        "https://other.vault.azure.net/keys/kek",
    )
    secret = b"k" * 32

    def wrap(self, key: bytes) -> Wrapped:
        return Wrapped(self.algorithm, self.kid, aes_key_wrap(self.secret, key))

    def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
        return aes_key_unwrap(self.secret, encrypted_key)


@pytest.fixture(scope="module")
def box() -> Encryptor:
    return Encryptor(KeyRing.create(Kek()))


def down(loading: Loading) -> Any:
    loading.local.advance(seconds=10)
    return loading.local.fail(operation="get_secret", status=503, count=None)


def test_a_snapshot_stands_in_while_the_vault_cannot_be_reached(loading: Loading, box: Encryptor) -> None:
    snapshot = safekv.Snapshot("config.skv", box, max_age=3600)
    wanted: dict[str, Any] = {"names": ["db--host", "api-key"], "optional": {"x": "d"}, "timeout": 2}
    before = dict(loading.load(**wanted, snapshot=snapshot))
    content = Path("config.skv").read_bytes()
    assert b"vault db--host" not in content
    assert stat.S_IMODE(os.stat("config.skv").st_mode) == 0o600
    assert [each.name for each in Path().iterdir()] == ["config.skv"]
    down(loading)
    assert dict(loading.load(**wanted, snapshot=snapshot)) == before
    assert Path("config.skv").read_bytes() == content  # it does not make itself younger
    with pytest.raises(LoadError):
        loading.load(["db--port"], timeout=2, snapshot=snapshot)  # was not kept
    loading.local.advance(seconds=3700)
    with pytest.raises(LoadError):
        loading.load(**wanted, snapshot=snapshot)


def test_a_snapshot_is_a_local_source(loading: Loading, box: Encryptor, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = safekv.Snapshot("config.skv", box)
    before = dict(loading.load(["db--host"], optional=["x"], snapshot=snapshot))
    monkeypatch.setenv("SAFEKV_OFFLINE", "1")
    asked = len(loading.local.journal)
    assert dict(loading.load(["db--host"], optional=["x"], snapshot=snapshot)) == before
    assert len(loading.local.journal) == asked


def test_a_snapshot_is_no_path(loading: Loading) -> None:
    with pytest.raises(InvalidArgument, match=r"Snapshot, which encrypts, not a str.\n.*safekv.Snapshot"):
        loading.load(["db--host"], snapshot="config.skv")
    assert not loading.local.journal


def test_what_a_vault_refuses_is_not_taken_from_a_snapshot(loading: Loading, box: Encryptor) -> None:
    snapshot = safekv.Snapshot("config.skv", box)
    loading.load(["db--host", "api-key"], snapshot=snapshot)
    loading.local.fail(operation="get_secret", path="/api-key", error="403_rbac", count=None)
    with pytest.raises(LoadError, match="api-key"):
        loading.load(["db--host", "api-key"], snapshot=snapshot)


@pytest.mark.parametrize("refusal", ["403_rbac", "404_secret", "403_firewall"])
def test_what_a_vault_refused_does_not_come_back_from_a_snapshot(
    loading: Loading, box: Encryptor, refusal: str
) -> None:
    snapshot = safekv.Snapshot("config.skv", box)
    loading.load(["db--host", "api-key"], snapshot=snapshot)
    loading.local.advance(seconds=3600)
    fault = loading.local.fail(operation="get_secret", path="/api-key", error=refusal, count=None)
    with pytest.raises(LoadError, match="api-key"):
        loading.load(["db--host", "api-key"], snapshot=snapshot)
    fault.remove()
    down(loading)
    with pytest.raises(LoadError) as caught:
        loading.load(["db--host", "api-key"], timeout=2, snapshot=snapshot)
    assert list(caught.value.failures) == ["api-key"]  # the other one stands in


def test_what_is_no_more_does_not_come_back_from_a_snapshot(loading: Loading, box: Encryptor) -> None:
    snapshot = safekv.Snapshot("config.skv", box)
    wanted: dict[str, Any] = {"optional": {"db--host": "d", "api-key": "d"}, "timeout": 2, "snapshot": snapshot}
    loading.load(**wanted)
    loading.local.advance(seconds=3600)
    loading.local.fail(operation="get_secret", path="/api-key", error="404_secret", count=1)
    fault = loading.local.fail(operation="get_secret", path="/db--host", status=503, count=None)
    assert dict(loading.load(**wanted)) == {"db--host": "vault db--host", "api-key": "d"}
    fault.remove()
    down(loading)
    assert dict(loading.load(**wanted)) == {"db--host": "vault db--host", "api-key": "d"}
    with pytest.raises(LoadError, match="api-key"):
        loading.load(["api-key"], timeout=2, snapshot=snapshot)  # that there was none is no value


def test_a_snapshot_that_cannot_be_corrected_is_removed(loading: Loading, box: Encryptor) -> None:
    loading.load(["db--host", "api-key"], snapshot=safekv.Snapshot("config.skv", box))
    loading.local.advance(seconds=3600)
    loading.local.fail(operation="get_secret", path="/api-key", error="403_rbac", count=None)
    with pytest.raises(LoadError, match="api-key"):
        loading.load(["api-key"], snapshot=safekv.Snapshot("config.skv", Encryptor(KeyRing.create(Kek()))))
    assert not list(Path().iterdir())


def test_a_snapshot_serves_one_identity(loading: Loading, box: Encryptor) -> None:
    app, other = loading.local.credential("app"), loading.local.credential("other")
    snapshot = safekv.Snapshot("config.skv", box)
    assert loading.load(["api-key"], credential=app, snapshot=snapshot)
    assert loading.load(["db--host"], credential=app, snapshot=snapshot)
    asked = len(loading.local.journal)
    for theirs in ({"credential": other}, {}, {"vault": loading.client(credential=other)}):
        with pytest.raises(InvalidArgument, match="another credential"):
            loading.load(["api-key"], **theirs, snapshot=snapshot)
    assert len(loading.local.journal) == asked
    assert loading.load(["api-key"], snapshot=safekv.Snapshot("other.skv", box))


class OfATest:
    """A credential that pickle would take along, with what it holds."""

    def __init__(self) -> None:
        self.secret = "planted-token"


def test_a_snapshot_travels_without_the_credential_that_it_serves(loading: Loading, box: Encryptor) -> None:
    credential = OfATest()
    snapshot = safekv.Snapshot("config.skv", box, max_age=60)
    snapshot.bind(credential)
    data = pickle.dumps(snapshot)
    assert credential.secret.encode() not in data
    there = pickle.loads(data)
    assert repr(there) == repr(snapshot)
    assert there._max_age == 60
    there.bind(loading.local.credential("another"))  # it serves whoever comes first there


def test_credentials_of_the_same_arguments_are_one_identity(box: Encryptor) -> None:
    snapshot = safekv.Snapshot("config.skv", box)
    snapshot.bind(safekv.identity.ManagedIdentityCredential(client_id="one"))
    snapshot.bind(safekv.identity.aio.ManagedIdentityCredential(client_id="one"))
    with pytest.raises(InvalidArgument, match="another credential"):
        snapshot.bind(safekv.identity.ManagedIdentityCredential(client_id="two"))


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_snapshot_that_is_damaged_does_not_hide_what_is_wrong(
    loading: Loading, box: Encryptor, content: bytes | None
) -> None:
    if content is not None:
        Path("config.skv").write_bytes(content)
    down(loading)
    with pytest.raises(LoadError, match="db--host"):
        loading.load(["db--host"], timeout=2, snapshot=safekv.Snapshot("config.skv", box))


def test_a_snapshot_that_cannot_be_written_is_no_error(loading: Loading, box: Encryptor) -> None:
    assert loading.load(["api-key"], snapshot=safekv.Snapshot("no/such/folder/config.skv", box))["api-key"]


def test_there_are_no_snapshots_in_the_clear() -> None:
    with pytest.raises(InvalidArgument, match="is encrypted"):
        safekv.Snapshot("config.skv", None)
