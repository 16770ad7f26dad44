"""Labels: they tell apart what is few, and put together what is many."""

from __future__ import annotations

from safekv.observability._labels import OTHER, Bounded, server


def test_what_is_too_many_is_other_and_stays_what_it_was() -> None:
    label = Bounded(3)
    assert [label(text) for text in ("a", "b", "a", "c", "d", "a", "d")] == ["a", "b", "a", "c", OTHER, "a", OTHER]


def test_servers() -> None:
    assert server("my.vault.azure.net") == {"server.address": "my.vault.azure.net"}
    assert server("127.0.0.1:8443") == {"server.address": "127.0.0.1", "server.port": 8443}
    assert server("[::1]:8443") == {"server.address": "[::1]", "server.port": 8443}
    assert server(OTHER) == {"server.address": OTHER}
