"""Lanes by class of operation, and keys whose kind an answer has told."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import pytest

from safekv._clock import VirtualClock
from safekv._settings import Settings
from safekv.connection._traffic import Traffic, Traffics

URL = "https://my-vault.vault.azure.net"


class Message:
    """A request or a response with this body."""

    def __init__(self, body: Any) -> None:
        self.content = json.dumps(body)

    def text(self) -> str:
        return self.content


def traffic(url: str = URL, **knobs: Any) -> Traffic:
    return Traffic(url, Settings(**knobs), VirtualClock(0))


def jwk(bits: int, kty: str = "RSA") -> dict[str, Any]:
    return {"key": {"kty": kty, "n": base64.urlsafe_b64encode(b"\x80" * (bits // 8)).decode()}}


@pytest.mark.parametrize(("bits", "weight"), [(2048, 1), (3072, 4), (4096, 8)])
def test_what_a_key_costs_is_learned_from_the_answer_that_shows_it(bits: int, weight: int) -> None:
    it = traffic()
    assert it.work("sign", "/keys/Mine/1/sign", Message(None)).lane == "keys"
    it.learn("get_key", "/keys/mine/", Message(jwk(bits)))
    work = it.work("sign", "/keys/Mine/1/sign", Message(None))
    assert (work.lane, work.cost) == ("keys:software:rsa", weight)
    assert it.work("sign", "/keys/other/1/sign", Message(None)).cost == 1


def test_what_a_new_key_will_cost_stands_in_the_request() -> None:
    it = traffic()
    assert it.work("create_key", "/keys/a/create", Message({"kty": "RSA-HSM"})).lane == "keys:create:hsm"
    assert it.work("import_key", "/keys/a", Message(jwk(4096, "RSA-HSM"))).lane == "keys:create:hsm"
    assert it.work("create_key", "/keys/a/create", Message("nonsense")).lane == "keys:create:software"


@pytest.mark.parametrize("body", [None, [], {"key": 1}, {"key": {"kty": 7}}, "text"])
def test_answers_that_say_nothing(body: Any) -> None:
    it = traffic()
    it.learn("get_key", "/keys/mine", Message(body))
    it.learn("get_secret", "/secrets/mine", Message(jwk(4096)))
    assert it.work("sign", "/keys/mine/1/sign", Message(None)).lane == "keys"


def test_it_remembers_only_so_many_keys() -> None:
    it = traffic()
    for number in range(5_000):
        it.learn("get_key", f"/keys/key-{number}", Message(jwk(4096)))
    assert it.work("sign", "/keys/key-0/1/sign", Message(None)).cost == 1
    assert it.work("sign", "/keys/key-4999/1/sign", Message(None)).cost == 8
    assert len(it._keys) <= 4_096


def test_one_lane_for_each_class() -> None:
    it = traffic(max_rate=3)
    secrets = it.work("get_secret", "/secrets/a", None)
    assert it.lane(secrets) is it.lane(it.work("list_properties_of_secrets", "/secrets", None))
    assert it.lane(secrets) is not it.lane(it.work("set_secret", "/secrets/a", None))
    assert list(it.status()) == ["secrets", "secrets:create"]
    assert it.status()["secrets"].rate == 3


def test_a_managed_hsm_is_counted_by_the_second() -> None:
    it = traffic("https://my-hsm.managedhsm.azure.net", share=0.5)
    work = it.work("create_key", "/keys/a/create", Message({"kty": "oct-HSM"}))
    assert (work.lane, work.window) == ("hsm:create", 1.0)
    it.lane(work)
    assert it.status()["hsm:create"].rate == pytest.approx(0.97 * 0.5)


def test_who_shares_and_who_does_not() -> None:
    traffics = Traffics(3)
    clock = VirtualClock(0)

    def of(url: str = URL, way: Any = None, **knobs: Any) -> Traffic:
        return traffics.of(url, way, Settings(**knobs), lambda: clock)

    assert of() is of()
    assert of() is of(timeout=3)
    assert of() is not of("https://other.vault.azure.net")
    assert of() is not of(way="a transport")
    assert of() is not of(max_rate=1)
    first = of()
    for number in range(4):
        of(f"https://vault-{number}.vault.azure.net")
    assert of() is not first  # only so many are kept


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_starts_with_empty_lanes() -> None:
    it = traffic()
    lane = it.lane(it.work("get_secret", "/secrets/a", None))
    breaker = it.breaker
    it.after_fork()
    assert not it.status()
    assert it.lane(it.work("get_secret", "/secrets/a", None)) is not lane
    assert it.breaker is not breaker
