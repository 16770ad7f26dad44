"""The fuzzers' targets on their seeds, and on each with a little changed. ``nox -s fuzz`` looks further."""

import random

import pytest

from tests.fuzz.targets import SEEDS, TARGETS

CHANGES = 40


def changed(seed, chance):
    data = bytearray(seed or b"\0")
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[place : place + 1] = chance.randbytes(1)
            case 1:
                data[place:place] = chance.choice([b'"', b"{", b"\xff", b"://", b"=", b"\0", b"9" * 30])
            case 2:
                del data[place : place + chance.randint(1, 8)]
            case _:
                data += data[place : place + 16]
        data = data or bytearray(b"\0")
    return bytes(data)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_nothing_from_outside_raises_anything_but_the_parsers_own(name):
    chance = random.Random(name)
    for seed in SEEDS[name]:
        TARGETS[name](seed)
        for _ in range(CHANGES):
            TARGETS[name](changed(seed, chance))
