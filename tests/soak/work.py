"""What threads, tasks and children do: every call is one of safekv's, and every value is compared with the truth."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import safekv
import safekv.secrets.aio
from safekv.envelope import Encryptor, KeyRing
from safekv.errors import AmbiguousWrite, DeadlineExceeded, LoadError, SafeKVError
from safekv.identity import DefaultAzureCredential
from safekv.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential
from safekv.keys.crypto import KeyWrapAlgorithm
from safekv.secrets import SecretClient
from tests.soak.truth import Tally, Truth, Wrong, value_of

TIMEOUT = 8.0  # of a call, seconds
CHILD = 30.0  # a forked child, seconds
AAD = b"soak"


@dataclass
class World:
    """What all of them share."""

    urls: dict[str, str]
    truths: list[Truth]
    ring: KeyRing
    box: Encryptor
    credential: DefaultAzureCredential
    aio_credential: AsyncDefaultAzureCredential
    tally: Tally = field(default_factory=Tally)
    over: threading.Event = field(default_factory=threading.Event)

    def any(self, chance: random.Random) -> Truth:
        return chance.choice(self.truths)

    def client(self, truth: Truth) -> SecretClient:
        return SecretClient(self.urls[truth.vault], self.credential, timeout=TIMEOUT)

    def aio_client(self, truth: Truth) -> safekv.secrets.aio.SecretClient:
        return safekv.secrets.aio.SecretClient(self.urls[truth.vault], self.aio_credential, timeout=TIMEOUT)

    def failed(self, kind: str, error: BaseException) -> None:
        """Count it. What a fault of the vault explains is transient; anything else is a failure of safekv's."""
        expected = isinstance(error, AmbiguousWrite | DeadlineExceeded | LoadError) or (isinstance(error, SafeKVError) and error.transient)
        said = f": {error}" if isinstance(error, Wrong) else ""
        self.tally.fail(f"{kind}: {type(error).__name__}{said}", expected=expected)


# -- threads


def read(world: World, chance: random.Random) -> None:
    truth = world.any(chance)
    at_least = truth.surely
    with world.client(truth) as client:
        truth.check(client.get_secret(truth.name).value, at_least)


def read_anew(world: World, chance: random.Random) -> None:
    truth = world.any(chance)
    at_least = truth.surely
    with world.client(truth) as client:
        truth.check(client.get_secret(truth.name, max_age=0).value, at_least)


def read_many(world: World, chance: random.Random) -> None:
    vault = world.any(chance).vault
    some = [truth for truth in chance.sample(world.truths, 12) if truth.vault == vault]
    at_least = {truth.name: truth.surely for truth in some}
    with world.client(world.truths[0] if not some else some[0]) as client:
        found = client.get_many([truth.name for truth in some])
    for truth in some:
        truth.check(found[truth.name].value, at_least[truth.name])


def list_names(world: World, chance: random.Random) -> None:
    truth = world.any(chance)
    with world.client(truth) as client:
        names = {properties.name for properties in client.list_properties_of_secrets()}
    missing = {each.name for each in world.truths if each.vault == truth.vault} - names
    if missing:
        raise Wrong(f"a list of {truth.vault} lacks {len(missing)} names")


def encrypt(world: World, chance: random.Random) -> None:
    data = chance.randbytes(chance.choice((20, 1_000, 100_000)))
    if world.box.decrypt(world.box.encrypt(data, AAD), AAD) != data:
        raise Wrong("encrypted and decrypted, it is something else")


def wrap(world: World, chance: random.Random) -> None:
    truth = world.any(chance)
    key = chance.randbytes(32)
    with safekv.Vault(world.urls[truth.vault], world.credential, timeout=TIMEOUT) as vault:
        client = vault.crypto("app-kek")
        wrapped = client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, key)
        unwrapped = client.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key)
    if unwrapped.key != key:
        raise Wrong("wrapped and unwrapped, it is another key")


KINDS: list[tuple[Callable[[World, random.Random], None], int]] = [
    (read, 60), (read_anew, 8), (read_many, 8), (list_names, 2), (encrypt, 15), (wrap, 2),
]  # fmt: skip


def thread(world: World, number: int) -> None:
    chance = random.Random(number)
    kinds, weights = zip(*KINDS, strict=True)
    while not world.over.wait(chance.uniform(0.2, 1.0)):
        (kind,) = chance.choices(kinds, weights)
        _once(world, kind.__name__, lambda kind=kind: kind(world, chance))


def rotate(world: World, truths: list[Truth], number: int) -> None:
    """The only writer of its secrets: a new value for one of them, again and again."""
    chance = random.Random(number)

    def write(truth: Truth) -> None:
        truth.perhaps += 1
        written = truth.perhaps
        with world.client(truth) as client:
            client.set_secret(truth.name, value_of(truth.vault, truth.name, written))
        truth.surely = written

    while not world.over.wait(chance.uniform(0.2, 0.6)):
        truth = chance.choice(truths)
        _once(world, "rotate", lambda truth=truth: write(truth))


def _once(world: World, kind: str, do: Callable[[], None]) -> None:
    began = time.monotonic()
    try:
        do()
    except Exception as error:
        world.failed(kind, error)
    world.tally.count(kind, time.monotonic() - began)


# -- tasks


async def task(world: World, number: int, rounds: float = float("inf")) -> None:
    chance = random.Random(number)

    async def read() -> None:
        truth = world.any(chance)
        at_least = truth.surely
        async with world.aio_client(truth) as client:
            secret = await client.get_secret(truth.name, **({"max_age": 0} if chance.random() < 0.2 else {}))
        truth.check(secret.value, at_least)

    while rounds > 0 and not world.over.is_set():
        rounds -= 1
        await asyncio.sleep(chance.uniform(0.1, 0.5))
        await _once_aio(world, "aio read", read)


async def _once_aio(world: World, kind: str, do: Callable[[], Awaitable[None]]) -> None:
    began = time.monotonic()
    try:
        await do()
    except Exception as error:
        world.failed(kind, error)
    world.tally.count(kind, time.monotonic() - began)


async def tasks(world: World, count: int) -> None:
    await asyncio.gather(*(task(world, number) for number in range(count)))


def loops(world: World) -> None:
    """Event loops that end, one after the other, with the clients that outlive them."""

    async def some() -> None:
        await asyncio.gather(*(task(world, 1_000 + number, rounds=2) for number in range(5)))

    while not world.over.wait(0.5):
        asyncio.run(some())


# -- children


def fork(world: World, chance: random.Random) -> None:
    """A child of a process with hundreds of threads reads, encrypts, and ends in time."""
    began = time.monotonic()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _be_a_child(world, chance, theirs)
    os.close(theirs)
    said = b"no word in time"
    if select.select([ours], [], [], CHILD)[0]:
        said = os.read(ours, 4096)
    os.close(ours)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if said != b"ok":
        kind, expected, what = [*said.decode().split("|", 2), "", ""][:3]
        world.tally.fail(f"child: {kind} {what}".strip(), expected=expected == "expected")
    world.tally.count("child", time.monotonic() - began)


def _be_a_child(world: World, chance: random.Random, pipe: int) -> None:
    said = "nothing"
    for truth in world.truths:
        truth.perhaps = sys.maxsize  # its parent goes on writing, and cannot tell
    try:
        for kind in (read, read_anew, encrypt):
            kind(world, chance)
        said = "ok"
    except SafeKVError as error:
        said = f"{type(error).__name__}|{'expected' if error.transient else ''}|"
    except BaseException as error:
        said = f"{type(error).__name__}||{error if isinstance(error, Wrong) else ''}"
    finally:
        os.write(pipe, said.encode())
        os._exit(0)
