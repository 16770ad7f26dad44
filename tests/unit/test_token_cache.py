"""When a token is given out, when it is time for the next, and when it is never given out again."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from safekv._clock import VirtualClock
from safekv.connection.tokens._tokens import MAX_TOKENS, REFRESH_PAUSE, TokenCache, TokenKey, as_token_info

START = 1_700_000_000.0
KEY = TokenKey(("https://vault.azure.net/.default",))


class Fixed:
    """Chance that always falls the same way."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def cache_at(value: float = 0.0) -> tuple[TokenCache, VirtualClock]:
    clock = VirtualClock(START)
    return TokenCache(clock, Fixed(value)), clock


def token(name: str, lifetime: float, refresh_in: float | None = None, now: float = START) -> AccessTokenInfo:
    refresh_on = None if refresh_in is None else int(now + refresh_in)
    return AccessTokenInfo(name, int(now + lifetime), refresh_on=refresh_on)


def test_nothing_is_there_at_first() -> None:
    assert cache_at()[0].look(KEY) == (None, True)


@pytest.mark.parametrize(
    ("lifetime", "refresh_in", "chance", "due"),
    [
        (3600, None, 0.0, 3300),  # five minutes before the end
        (3600, None, 0.5, 3300 - 150),  # and up to five more, by chance
        (600, None, 0.0, 480),  # a short one: a fifth before the end
        (86_400, 43_200, 0.0, 43_200),  # when the identity provider says
        (3600, 3590, 0.0, 3300),  # but not later than five minutes before the end
    ],
)
def test_when_the_next_is_due(lifetime: float, refresh_in: float | None, chance: float, due: float) -> None:
    cache, clock = cache_at(chance)
    cache.store(KEY, token("a", lifetime, refresh_in))
    clock.advance(due - 2)
    present, is_due = cache.look(KEY)
    assert present is not None
    assert (present.token, is_due) == ("a", False)
    clock.advance(4)
    present, is_due = cache.look(KEY)
    assert present is not None
    assert is_due


@pytest.mark.parametrize(("lifetime", "usable"), [(3600, 3540), (100, 90)])
def test_an_old_one_is_not_given_out(lifetime: float, usable: float) -> None:
    cache, clock = cache_at()
    cache.store(KEY, token("a", lifetime))
    clock.advance(usable - 1)
    assert cache.look(KEY)[0] is not None
    clock.advance(1)
    assert cache.look(KEY) == (None, True)


def test_one_that_is_over_already_is_for_its_asker_alone() -> None:
    cache, _ = cache_at()
    assert cache.store(KEY, token("a", -5)).token == "a"
    assert cache.look(KEY) == (None, True)


def test_the_sdk_is_told_when_to_ask_again() -> None:
    cache, _ = cache_at()
    stored = cache.store(KEY, AccessTokenInfo("a", int(START) + 3600, token_type="pop"))
    assert (stored.refresh_on, stored.token_type, stored.expires_on) == (START + 3300, "pop", START + 3600)


def test_a_refresh_that_failed_is_not_tried_again_at_once() -> None:
    cache, clock = cache_at()
    cache.store(KEY, token("a", 3600))
    clock.advance(3400)
    assert cache.look(KEY)[1]
    cache.postpone(KEY)
    assert not cache.look(KEY)[1]
    clock.advance(REFRESH_PAUSE)
    assert cache.look(KEY)[1]
    cache.postpone(TokenKey(("other",)))


def test_a_token_with_claims_replaces_the_one_without() -> None:
    cache, _ = cache_at()
    with_claims = KEY._replace(claims="c")
    cache.store(KEY, token("old", 3600))
    cache.store(with_claims, token("new", 3600))
    for key in (KEY, with_claims):
        present, _ = cache.look(key)
        assert present is not None
        assert present.token == "new"
    assert cache.look(KEY._replace(claims="d")) == (None, True)
    assert cache.look(KEY._replace(tenant_id="t")) == (None, True)
    assert cache.look(KEY._replace(enable_cae=True)) == (None, True)


def test_a_refused_one_is_forgotten_everywhere() -> None:
    cache, _ = cache_at()
    with_claims, same, elsewhere = KEY._replace(claims="c"), KEY._replace(tenant_id="s"), KEY._replace(tenant_id="t")
    cache.store(same, token("bad", 3600))
    cache.store(with_claims, token("bad", 3600))
    cache.store(elsewhere, token("good", 3600))
    cache.refused("never seen")
    cache.refused("bad")
    assert cache.look(KEY) == cache.look(with_claims) == cache.look(same) == (None, True)
    assert cache.look(elsewhere)[0] is not None


def test_with_a_refused_one_go_those_that_are_older() -> None:
    """Revocation is of everything up to a moment: an older token for the same thing is worth no try."""
    cache, _ = cache_at()
    with_claims, elsewhere = KEY._replace(claims="c"), KEY._replace(tenant_id="t")
    cache.store(elsewhere, token("elsewhere", 3600))
    cache.store(with_claims, token("older", 3600))
    cache.store(KEY, token("newer", 3600))
    cache.refused("newer")
    assert cache.look(with_claims) == (None, True)
    assert cache.look(elsewhere)[0] is not None
    cache.store(KEY, token("newest", 3600))
    cache.refused("newer")
    assert cache.look(KEY)[0] is not None


def test_it_keeps_so_many() -> None:
    cache, _ = cache_at()
    for number in range(MAX_TOKENS + 5):
        cache.store(KEY._replace(tenant_id=str(number)), token("a", 3600))
    assert cache.look(KEY._replace(tenant_id="0")) == (None, True)
    assert cache.look(KEY._replace(tenant_id=str(MAX_TOKENS + 4)))[0] is not None
    assert len(cache._entries) == MAX_TOKENS


def test_both_kinds_of_token() -> None:
    info = token("a", 3600)
    assert as_token_info(info) is info
    converted = as_token_info(AccessToken("a", 7))
    assert (converted.token, converted.expires_on, converted.refresh_on) == ("a", 7, None)


def test_keys() -> None:
    options: Any = {"tenant_id": "t", "claims": "c", "enable_cae": True}
    assert TokenKey.of(["s"], options) == TokenKey(("s",), "t", "c", True)
    assert TokenKey.of(["s"], options).options() == options
    assert TokenKey.of(["s"], {}).options() == {}
    assert TokenKey.of(["s", "t"], {}) != TokenKey.of(["t", "s"], {})


KEYS = st.sampled_from([KEY, KEY._replace(claims="c"), KEY._replace(tenant_id="t"), TokenKey(("other",))])


class CacheMachine(RuleBasedStateMachine):
    """The cache beside the plainest model of it: for each key its token, and what became of that."""

    @initialize(chance=st.floats(0, 0.999))
    def begin(self, chance: float) -> None:
        self.cache, self.clock = cache_at(chance)
        self.present: dict[TokenKey, AccessTokenInfo] = {}
        self.born: dict[str, float] = {}
        self.postponed: dict[str, float] = {}
        self.dead: set[str] = set()
        self.count = 0

    @rule(key=KEYS, lifetime=st.integers(0, 7200), refresh_in=st.none() | st.integers(1, 7200))
    def store(self, key: TokenKey, lifetime: int, refresh_in: int | None) -> None:
        now = self.clock.time()
        self.count += 1
        name = f"token-{self.count}"
        given = self.cache.store(key, token(name, lifetime, refresh_in, now))
        assert given.token == name
        self.born[name] = now
        self.present[key] = self.present[key.without_claims()] = token(name, lifetime, refresh_in, now)

    @rule(seconds=st.floats(0, 4000))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(key=KEYS)
    def postpone(self, key: TokenKey) -> None:
        self.cache.postpone(key)
        if key in self.present:
            self.postponed[self.present[key].token] = self.clock.time() + REFRESH_PAUSE

    @rule(key=KEYS)
    def refuse(self, key: TokenKey) -> None:
        given, _ = self.cache.look(key)
        if given is not None:
            self.cache.refused(given.token)
            self.dead.add(given.token)

    @invariant()
    def what_is_given_out_is_right(self) -> None:
        if not hasattr(self, "cache"):
            return
        now = self.clock.time()
        for key, expected in self.present.items():
            given, due = self.cache.look(key)
            if given is None:
                assert due
                continue
            assert given.token == expected.token
            assert given.token not in self.dead
            assert now < given.expires_on
            lifetime = given.expires_on - self.born[given.token]
            if self.postponed.get(given.token, 0) > now:
                assert not due
            elif now >= given.expires_on - min(300, lifetime * 0.2) and given.token not in self.postponed:
                assert due
            elif due and expected.refresh_on is None and given.token not in self.postponed:
                assert now >= given.expires_on - min(300, lifetime * 0.2) - min(300, lifetime * 0.1) - 1


TestCache = CacheMachine.TestCase
TestCache.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
