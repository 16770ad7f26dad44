"""Unit tests open no sockets."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(no_sockets: None) -> None:
    """See ``no_sockets``."""
