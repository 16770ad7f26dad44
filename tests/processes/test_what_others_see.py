"""What can be seen of a process with secrets, and what is gone after closing: see docs/explanation/security.md."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from safekv.emulator import EmulatorServer
from tests.processes.conftest import Run, value_of

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]


def test_ps_shows_no_value_of_a_command_and_its_environment_does(server: EmulatorServer) -> None:
    url = server.vault_urls["one"]
    sleep = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
    command = [sys.executable, "-m", "safekv", "exec", "--vault", url, "--", *sleep]
    environment = {**os.environ, **server.environment(), "SECRET": "kv://one/s1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == "up"
            arguments = Path(f"/proc/{child.pid}/cmdline").read_bytes()
            environment = Path(f"/proc/{child.pid}/environ").read_bytes()
        finally:
            child.kill()
    assert value_of(1).encode() not in arguments
    assert b"SECRET=" + value_of(1).encode() in environment  # for its owner, and for root


def test_reading_secrets_puts_none_into_the_environment_of_children(run: Run, server: EmulatorServer) -> None:
    said = run(
        """
        import subprocess, sys, safekv, safekv.secrets
        url, look = sys.argv[1], "import os; print(*(name for name in os.environ if 'value-one' in os.environ[name]))"
        def seen():
            done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
            return done.stdout.strip()
        with safekv.secrets.SecretClient(url) as client:
            client.get_secret("s1")
        safekv.load(["s2"], vault=url)
        print("after reading:", seen())
        safekv.load_environ({"ASKED_FOR": "s3"}, vault=url)
        print("after load_environ:", seen())
        """,
        server.vault_urls["one"],
    )
    assert said.splitlines() == ["after reading: ", "after load_environ: ASKED_FOR"]


def test_nothing_holds_a_value_or_a_token_after_closing(run: Run, server: EmulatorServer) -> None:
    """Every container that Python knows of is searched for the value, the ring's keys and the token.

    The SDK's policy in a client keeps its last token for as long as somebody keeps the client.
    """
    said = run(
        """
        import gc, sys
        from safekv.envelope import Encryptor, KeyRing
        from safekv.identity import DefaultAzureCredential
        from safekv.keys import KeyClient
        from safekv.secrets import SecretClient

        url = sys.argv[1]

        def held():
            gc.collect()
            kinds = set()
            for it in gc.get_objects():
                for part in gc.get_referents(it):
                    if isinstance(part, str) and part[:10] == "value-one-" and part[10:] == "7":
                        kinds.add("value")
                    if isinstance(part, str) and len(part) > 100 and part.removeprefix("Bearer ").startswith("eyJ"):
                        kinds.add("token")
                if type(it).__name__ == "Opened":
                    kinds.add("data key")
            return sorted(kinds)

        credential = DefaultAzureCredential()
        client, keys = SecretClient(url, credential), KeyClient(url, credential)
        client.get_secret("s7")
        keys.create_rsa_key("kek", size=2048)
        ring = KeyRing.create(url + "/keys/kek", credential=credential)
        Encryptor(ring).encrypt(b"data")
        print(held())
        ring.close()
        client.close()
        keys.close()
        credential.close()
        print(held())
        del client, keys
        print(held())
        """,
        server.vault_urls["one"],
        cache=True,
    )
    reading, closed, gone = (set(ast.literal_eval(line)) for line in said.splitlines())
    assert {"data key", "value"} <= reading
    assert closed <= {"token"}
    assert gone == set()


def test_a_killed_process_leaves_no_value_in_temporary_files(server: EmulatorServer, tmp_path: Path) -> None:
    program = """
        import sys, time, safekv
        safekv.load(["s1", "s2"], vault=sys.argv[1])
        print("up", flush=True)
        time.sleep(60)
    """
    environment = {**os.environ, **server.environment(), "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), server.vault_urls["one"]],
        env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "up"
        time.sleep(0.1)
        child.kill()
    for path in (each for each in tmp_path.rglob("*") if each.is_file()):
        assert b"value-one" not in path.read_bytes(), path.name
