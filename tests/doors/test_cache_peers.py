"""Defects that were measured in other caches and loaders, and are not in this one.

Those of single reads are in ``test_cache.py``, ``test_cache_together.py`` and ``test_get_many.py``,
each named there after the one that has it. Here are those that take several secrets.
"""

from __future__ import annotations

from typing import Any

import azure.core.exceptions as azure_errors
import pytest
from caching import Cached
from colours import Colour

from safekv.errors import LoadError
from safekv.testing import LocalKeyVault

NAMES = ["k0", "k1", "k2", "k3"]


@pytest.fixture
def cached(colour: Colour, local: LocalKeyVault) -> Any:
    for name in NAMES:
        local.set_secret(name, "old")
    with Cached.made(colour, local) as cached:
        cached.colour.run(cached.client.get_many(NAMES))
        yield cached


def read(cached: Cached) -> dict[str, str]:
    """Every secret, or the status of its error."""
    return {name: value_or_status(cached, name) for name in NAMES}


def value_or_status(cached: Cached, name: str) -> str:
    try:
        return str(cached.get(name))
    except azure_errors.HttpResponseError as error:
        return str(error.status_code)


def test_one_refusal_among_several_refreshes_concerns_one_secret_only(cached: Cached) -> None:
    """App Configuration's provider clears its cache first: k1 to k3 stay old for ever."""
    for name in NAMES:
        cached.local.set_secret(name, "new")
    fault = cached.local.fail(operation="get_secret", path="/secrets/k0", error="403_rbac", count=None)
    cached.advance(250)
    read(cached)
    cached.settle()
    assert read(cached) == {"k0": "403", "k1": "new", "k2": "new", "k3": "new"}
    fault.remove()
    assert read(cached) == dict.fromkeys(NAMES, "new")


def test_whoever_uses_a_secret_under_whatever_spelling_sees_the_same_after_rotation(cached: Cached) -> None:
    """The same provider: two settings of one secret, {'a': 'new', 'b': 'old'}; with a trimmed prefix, old for ever."""
    cached.local.set_secret("k0", "new")
    cached.advance(250)
    cached.get("k0")
    cached.settle()
    assert [cached.get(name) for name in ("k0", "K0")] == ["new", "new"]
    found = cached.colour.run(cached.client.get_many(["k0", "K0"]))
    assert [secret.value for secret in found.values()] == ["new", "new"]


def test_a_secret_that_nobody_asked_for_may_be_refused(cached: Cached) -> None:
    """pydantic-settings reads the whole vault for a nested model, and fails over any secret in it."""
    cached.local.set_secret("unrelated", "x")
    cached.local.fail(operation="get_secret", path="/secrets/unrelated", error="403_rbac", count=None)
    cached.client.invalidate()
    assert len(cached.colour.run(cached.client.get_many(NAMES))) == 4


def test_an_identity_that_may_only_get_can_do_everything(cached: Cached) -> None:
    """pydantic-settings: no list permission, no settings."""
    cached.local.fail(operation="list_properties_of_secrets", error="403_rbac", count=None)
    cached.client.invalidate()
    assert list(cached.colour.run(cached.client.get_many(NAMES, optional=["absent"]))) == NAMES
    assert read(cached) == dict.fromkeys(NAMES, "old")


def test_what_is_kept_already_is_not_read_again(cached: Cached) -> None:
    """pydantic-settings: a second Settings() is 104 requests again."""
    before = cached.requests()
    cached.colour.run(cached.client.get_many(NAMES))
    assert cached.requests() == before


def test_a_missing_secret_is_an_error_at_once_and_no_reason_to_leave_the_vault_alone(cached: Cached) -> None:
    """App Configuration's provider: 95 s, a TimeoutError without the name, and the endpoint is put in backoff."""
    before = cached.local.emulator.clock.monotonic()
    with pytest.raises(LoadError, match="absent: "):
        cached.colour.run(cached.client.get_many([*NAMES, "absent"]))
    assert cached.local.emulator.clock.monotonic() == before
    assert cached.get("k0", max_age=0) == "old"
