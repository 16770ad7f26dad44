"""Without the extra, the rest works, and what is missing says so."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

import safekv.observability
from safekv.errors import MissingPackage


def test_without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("safekv.observability.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert import_module("safekv.observability.logging").log_events
    with pytest.raises(MissingPackage, match="opentelemetry") as missing:
        import_module("safekv.observability.otel")
    assert "safekv[otel]" in str(missing.value)


def test_public_names() -> None:
    assert dir(safekv.observability) == sorted(safekv.observability.__all__)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = safekv.observability.nothing_of_the_kind
