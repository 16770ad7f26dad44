"""Which requests make others forget what they have kept."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.rest import HttpRequest

from safekv.connection.wire import _writes

URL = "https://my-vault.vault.azure.net"
NOBODY: list[Any] = []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []
    monkeypatch.setattr(_writes, "_listeners", ())
    _writes.on_write(lambda url, name: seen.append((url, name)))
    return seen


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("PUT", "/secrets/a", ["a"]),
        ("PATCH", "/secrets/a/0123", ["a"]),
        ("DELETE", "/deletedsecrets/a", ["a"]),
        ("POST", "/secrets/restore", [None]),
        ("POST", "/certificates/a/create", ["a"]),
        ("POST", "/certificates/a/pending/merge", ["a"]),
        ("GET", "/certificates/a/pending", ["a"]),
        ("POST", "/certificates/restore", [None]),
        ("POST", "/keys/a/0123/sign", NOBODY),
        ("POST", "/secrets/a/backup", NOBODY),
        ("GET", "/secrets/a", NOBODY),
        ("GET", "/certificates/a", NOBODY),
        ("POST", "/", NOBODY),
    ],
)
def test_who_is_told_of_what(told: list[Any], method: str, path: str, names: list[Any]) -> None:
    request = HttpRequest(method, f"{URL}{path}?api-version=7.5")
    if not _writes.is_read(request):
        with _writes.telling(URL, request):
            assert told == [(URL, name) for name in names]
    assert told == 2 * [(URL, name) for name in names]


def test_a_write_that_fails_is_told_too(told: list[Any]) -> None:
    with pytest.raises(RuntimeError), _writes.telling(URL, HttpRequest("PUT", f"{URL}/secrets/a")):
        raise RuntimeError("reset")
    assert len(told) == 2
