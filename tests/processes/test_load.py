"""Loading in processes of its own: cold, over TLS, in both colours, after a fork, and nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from safekv.emulator import EmulatorServer

pytestmark = pytest.mark.sockets

Run = Callable[..., str]

SYNC = """
    import json, safekv
    config = safekv.load([f"s{number}" for number in range(20)] + ["kv://two/s1"], optional=["absent"])
"""


def statuses(server: EmulatorServer) -> dict[int, int]:
    entries = [entry.status for entry in server.emulator.journal]
    return {status: entries.count(status) for status in set(entries)}


def test_a_list_with_two_secrets_for_one_key_is_refused(run: Run, server: EmulatorServer) -> None:
    program = SYNC.replace("config =", "try:\n        config =") + (
        "    except safekv.errors.InvalidArgument as error:\n        print(error.message)"
    )
    assert "s1" in run(program.replace("import json, safekv", "import json, safekv, safekv.errors"))
    assert statuses(server) == {}


def test_a_cold_start_of_two_vaults(run: Run, server: EmulatorServer) -> None:
    program = """
        import json, safekv
        names = {f"a{number}": f"s{number}" for number in range(20)}
        config = safekv.load({**names, "b": "kv://two/s1"}, optional=["absent"])
        print(json.dumps(dict(config)))
    """
    loaded = json.loads(run(program))
    assert loaded == {**{f"a{number}": f"value-one-{number}" for number in range(20)}, "b": "value-two-1"}
    assert statuses(server) == {200: 21, 401: 2, 404: 1}
    assert server.identity.requests  # one source of tokens for both


def test_asyncio_leaves_nothing_open(run: Run, server: EmulatorServer) -> None:
    program = """
        import asyncio, safekv.aio
        async def main():
            config = await safekv.aio.load([f"s{number}" for number in range(19)], optional=["kv://two/s19"])
            async with await safekv.aio.watch(["s1"], interval=0.05, jitter=0) as live:
                await asyncio.sleep(0.2)
                return len(config), live["s1"]
        print(*asyncio.run(main()))
        print(*asyncio.run(main()))
    """
    assert run(program).split() == ["20", "value-one-1"] * 2


def test_a_watch_ends_with_its_process_and_a_child_keeps_what_it_has(run: Run, server: EmulatorServer) -> None:
    program = """
        import os, safekv, time
        live = safekv.watch(["s1"], interval=0.05, jitter=0)
        time.sleep(0.2)
        child = os.fork()
        if child == 0:
            fine = live["s1"] == "value-one-1" and safekv.load(["s2"])["s2"] == "value-one-2"
            os._exit(0 if fine else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(program) == "0"
    assert statuses(server)[200] >= 3


def test_the_environment_of_a_process(run: Run, server: EmulatorServer) -> None:
    program = """
        import os, safekv
        os.environ["A"] = "kv://two/s3"
        print(*safekv.resolve_environ(), *safekv.load_environ(["s4"]), os.environ["A"], os.environ["S4"])
    """
    assert run(program).split() == ["A", "S4", "value-two-3", "value-one-4"]


def test_what_no_variable_can_have_in_this_locale_is_told_without_it_and_none_is_set(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own error, after those before it are set, has all of the value in it."""
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    run("""
        import asyncio, os
        import safekv, safekv.aio
        from safekv.errors import LoadError, MalformedSecret

        safekv.Vault().secrets.set_secret("accents", "h\\xe9 planted-value")
        before = {"APP_A": "kv://one/s1", "APP_B": "kv://one/accents"}
        os.environ.update(before)
        for call in (
            safekv.resolve_environ,
            lambda: safekv.load_environ({"APP_A": "s1", "APP_B": "accents"}, override=True),
            lambda: safekv.load_environ({"APP_C": "s1", "APP_B": "accents"}, environ={}),
            lambda: asyncio.run(safekv.aio.resolve_environ()),
            lambda: asyncio.run(safekv.aio.load_environ({"APP_A": "s1", "APP_B": "accents"}, override=True)),
            lambda: safekv.load_environ({"APP_\\xe9": "s1"}),
        ):
            try:
                call()
            except LoadError as error:
                (failure,) = error.failures.values()
                assert isinstance(failure, MalformedSecret), failure
                assert "planted" not in repr([error, error.args, error.__context__])
            else:
                raise AssertionError("it was set")
            assert {name: os.environ[name] for name in before} == before
    """)
