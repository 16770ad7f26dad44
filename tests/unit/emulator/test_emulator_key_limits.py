"""What requests about keys count against, and how much."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_keys import ask, create
from emulator_wire import Wire
from hypothesis import given
from hypothesis import strategies as some

from safekv.emulator import Limits
from safekv.emulator._rates import MANAGED_HSM
from safekv.emulator._throttle import Throttle

START = 1_700_000_000.0


def admitted(wire: Wire, method: str, path: str, body: Any = None, *, most: int) -> int:
    """How many of the same requests pass before one is throttled."""
    for count in range(most):
        answer = wire.ask(method, path, body)
        if answer.status == 429:
            assert answer.code == "Throttled"
            return count
        assert answer.status < 300, answer.json
    return most


@pytest.mark.parametrize(("hardware", "most"), [("", 20), ("-HSM", 10)])
@pytest.mark.parametrize("kty", ["RSA", "EC"])
def test_keys_made_in_10_s(kty: str, hardware: str, most: int) -> None:
    wire = Wire()
    body = {"kty": f"{kty}{hardware}"}
    assert admitted(wire, "POST", "/keys/name/create", body, most=30) == most
    other = {"kty": "RSA" if hardware else "EC-HSM"}
    assert wire.post("/keys/other/create", other).status == 200  # has a limit of its own
    assert wire.get("/keys/name").status == 200
    wire.advance(10)
    assert wire.post("/keys/name/create", body).status == 200


def test_rotating_and_importing_count_as_making() -> None:
    wire = Wire(limits=Limits(key_create=3))
    create(wire)
    assert [wire.post("/keys/name/rotate").status for _ in range(3)] == [200, 200, 429]
    assert wire.put("/keys/name", {"key": {"kty": "oct"}}).status == 429
    assert wire.put("/keys/name", {"key": {"kty": "oct-HSM"}}).status == 400
    assert wire.put("/keys/name", {"key": {"kty": "oct"}, "Hsm": True}).status == 400


@pytest.mark.parametrize(("size", "weight"), [(2048, 1), (3072, 4), (4096, 8)])
def test_longer_rsa_keys_weigh_more(size: int, weight: int) -> None:
    wire = Wire(limits=Limits(key=16, key_hsm=8))
    create(wire, "soft", "RSA", key_size=size)
    create(wire, "hard", "RSA-HSM", key_size=size)
    assert admitted(wire, "GET", "/keys/soft", most=20) == 16 // weight
    body = {"alg": "RS256", "value": "A" * 43}
    assert admitted(wire, "POST", "/keys/hard/sign", body, most=20) == 8 // weight


def test_weights_are_summed_in_one_quota() -> None:
    """The documentation's own example, an eighth of it: 248 operations with RSA-4096 and 16 with RSA-2048."""
    wire = Wire(limits=Limits(key_hsm=250))
    create(wire, "short", "RSA-HSM")
    create(wire, "long", "RSA-HSM", key_size=4096)
    assert [wire.get("/keys/long").status for _ in range(31)] == [200] * 31
    assert [wire.get("/keys/short").status for _ in range(3)] == [200, 200, 429]
    wire.advance(10)
    assert admitted(wire, "GET", "/keys/short", most=260) == 250


def test_the_defaults_are_the_services() -> None:
    limits = Limits()
    assert (limits.key_create, limits.key_create_hsm, limits.key, limits.key_hsm) == (20, 10, 4_000, 2_000)


def test_what_is_about_no_key_in_particular_is_an_ordinary_transaction() -> None:
    wire = Wire(limits=Limits(other=2, key=0))
    assert [wire.get(path).status for path in ("/keys", "/keys/none", "/deletedkeys")] == [200, 404, 429]


def test_bodies_that_say_nothing_of_the_type() -> None:
    wire = Wire(limits=Limits(key_create=0, key_create_hsm=None))
    for body in (b"", b"[]", b"{", b"[" * 100_000, b'{"kty": []}', b'{"kty": "other"}'):
        assert wire.ask("POST", "/keys/name/create", body).status == 429
    for document in ({"key": []}, {"key": {"kty": 1}}):
        assert wire.put("/keys/name", document).status == 429


# Managed HSM


def hsm(**keys: str) -> Wire:
    wire = Wire(hsm=True, limits=Limits(managed_hsm=None))
    for name, kty in keys.items():
        create(wire, name, kty.split("/")[0], **({"crv": kty.split("/")[1]} if "/" in kty else {}))
    wire.vault.limits = Limits()
    return wire


@pytest.mark.parametrize(
    ("method", "path", "body", "most"),
    [
        ("POST", "/keys/name/create", {"kty": "EC"}, 1),
        ("POST", "/keys/name/rotate", None, 1),
        ("POST", "/keys/name/backup", None, 10),
        ("GET", "/keys/name", None, 1_100),
        ("POST", "/keys/name/sign", {"alg": "ES512", "value": "A" * 86}, 56),
        ("POST", "/keys/name/verify", {"alg": "ES512", "digest": "A" * 86, "value": "AAAA"}, 28),
    ],
)
def test_rates_per_second(method: str, path: str, body: Any, most: int) -> None:
    wire = hsm(name="EC/P-521")
    assert admitted(wire, method, path, body, most=most + 5) == most
    wire.advance(1)
    assert wire.ask(method, path, body).status == 200


def test_each_operation_has_a_rate_of_its_own() -> None:
    wire = hsm(name="oct")
    sent = bytes(32)
    for operation, algorithm, rate in (
        ("encrypt", "A256GCM", "mhsm_aes_encrypt"),
        ("wrapkey", "A256KW", "mhsm_aes_wrap"),
    ):
        assert ask(wire, operation, algorithm, value=sent).status == 200
        assert len(wire.vault.throttle._sliding[rate]) == 1


def test_every_key_has_its_rates() -> None:
    wire = hsm(rsa="RSA", p256="EC/P-256", p256k="EC/P-256K", p384="EC/P-384", p521="EC/P-521", oct="oct")
    for name in ("rsa", "p256", "p256k", "p384", "p521", "oct"):
        for operation in ("encrypt", "decrypt", "wrapkey", "unwrapkey", "sign", "verify"):
            wire.post(f"/keys/{name}/{operation}", {})
    counted = set(wire.vault.throttle._sliding)
    assert counted <= set(MANAGED_HSM)
    assert {each for each in MANAGED_HSM if each.startswith(("mhsm_ec", "mhsm_aes", "mhsm_rsa_2048"))} == counted


def test_partitions_multiply_the_rates() -> None:
    wire = hsm(name="EC/P-521")
    wire.vault.limits = Limits(managed_hsm=3)
    body = {"alg": "ES512", "digest": "A" * 86, "value": "AAAA"}
    assert admitted(wire, "POST", "/keys/name/verify", body, most=100) == 84
    wire.vault.limits = Limits(managed_hsm=None)
    assert admitted(wire, "POST", "/keys/name/verify", body, most=100) == 100


@pytest.mark.parametrize("factor", [-1, 101, "1", True])
def test_bad_factors(factor: Any) -> None:
    with pytest.raises(ValueError, match="managed_hsm must be a factor of 0 to 100, such as"):
        Limits(managed_hsm=factor)


@given(
    some.lists(some.tuples(some.floats(0, 6, allow_nan=False), some.sampled_from([1, 4, 8])), max_size=80),
    some.integers(1, 20),
    some.booleans(),
)
def test_no_window_weighs_more_than_the_limit(gaps: list[tuple[float, int]], most: int, sliding: bool) -> None:
    throttle, limits, now = Throttle(), Limits(key=most, sliding=sliding), START
    passed: list[tuple[float, int]] = []
    for gap, weight in gaps:
        now += gap
        wait = throttle.refuse(limits, "key", now, weight)
        begin = now // 10 * 10 if not sliding else now - 10
        recent = sum(each for at, each in passed if (at >= begin if not sliding else at > begin))
        if wait is None:
            assert recent + weight <= most
            passed.append((now, weight))
        else:
            assert recent + weight > most
            assert 0 < wait <= 10
