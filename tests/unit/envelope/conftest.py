"""Rings for the tests of envelope encryption."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from envelope_keks import Colour, LocalKek

from safekv.envelope import Encryptor, KeyRing


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.create(LocalKek())


@pytest.fixture
def box(ring: KeyRing) -> Encryptor:
    return Encryptor(ring)


@pytest.fixture(params=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour]:
    if request.param == "sync":
        yield Colour(None)
        return
    loop = asyncio.new_event_loop()
    yield Colour(loop)
    loop.close()
