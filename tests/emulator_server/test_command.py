"""``safekv emulator`` as users run it: a process that is started, found, used and ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.sockets

RunClient = Callable[..., "subprocess.CompletedProcess[str]"]

SET = """
import os
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
SecretClient(os.environ["AZURE_KEY_VAULT_URL"], DefaultAzureCredential()).set_secret("a", "kept")
"""
GET = SET.replace('set_secret("a", "kept")', 'get_secret("a")').replace("SecretClient(os", "print(SecretClient(os")
GET = GET.rstrip() + ".value)\n"
HELP = """
import sys
from safekv.cli import main
main(["--help"], standalone_mode=False)
print("safekv.emulator" in sys.modules)
"""
NO_CLICK = """
import sys
sys.modules["click"] = None
from safekv.cli import main
main()
"""


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error::ResourceWarning", "-m", "safekv", "emulator", *arguments]


@contextlib.contextmanager
def _running(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and what its ready file says."""
    ready, temporary = tmp_path / "ready", tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        _command("--ready-file", str(ready), *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    with process:
        try:
            deadline = time.monotonic() + 20
            while not ready.exists():
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process, ready.read_text()
        finally:
            process.kill()


def _end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[str, str]:
    """Output and errors, after a clean end."""
    started = time.monotonic()
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors
    assert time.monotonic() - started < 3
    return output, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_removes_what_it_made(tmp_path: Path, number: int) -> None:
    with _running(tmp_path) as (process, announced):
        output, errors = _end(process, number)
    assert output == announced
    assert errors.startswith("safekv emulator: THIS PROTECTS NOTHING.")
    assert "Traceback" not in errors
    assert "Warning" not in errors
    assert not (tmp_path / "ready").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_shell_reads_the_variables_and_a_client_works(tmp_path: Path, run_client: RunClient) -> None:
    with _running(tmp_path, "--vault", "one", "--vault", "two") as (process, announced):
        shown = subprocess.run(["sh", "-c", f"{announced}env"], capture_output=True, text=True, check=True).stdout
        pairs = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        variables = {name: value for name, value in pairs.items() if f"export {name}=" in announced}
        assert variables["SAFEKV_EMULATOR_VAULTS"].startswith("one=https://127.0.0.1:")
        run_client(SET, variables)
        assert run_client(GET, variables).stdout == "kept\n"
        _end(process)


def test_contents_are_kept_between_runs(tmp_path: Path, run_client: RunClient) -> None:
    options = ("--state", str(tmp_path / "vaults.json"), "--format", "json", "--identity", "workload")
    with _running(tmp_path, *options) as (process, announced):
        variables = json.loads(announced)
        assert "AZURE_FEDERATED_TOKEN_FILE" in variables
        run_client(SET, variables)
        output, _ = _end(process)
        assert json.loads(output) == variables
    with _running(tmp_path, *options) as (process, announced):
        assert run_client(GET, json.loads(announced)).stdout == "kept\n"
        _end(process)


def test_a_vault_that_has_to_move_is_told_of(tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "vaults.json"), "--format", "json", "--vault", "one", "--vault", "two")
    with _running(tmp_path, *options) as (process, announced):
        before = json.loads(announced)["SAFEKV_EMULATOR_VAULTS"]
        _end(process)
    first, second = (url.rpartition("=")[2] for url in before.split(","))
    taken = socket.create_server(("127.0.0.1", int(first.rpartition(":")[2])))
    with taken, _running(tmp_path, *options) as (process, announced):
        now = json.loads(announced)["AZURE_KEY_VAULT_URL"]
        assert json.loads(announced)["SAFEKV_EMULATOR_VAULTS"] == f"one={now},two={second}"
        lines = _end(process)[1].splitlines()
    assert now != first
    assert [line for line in lines if "as before" in line] == [
        f"safekv emulator: one is at {now}, not at {first} as before (that port is taken now). "
        "What has that address in it, such as a key ring, does not find it."
    ]
    with _running(tmp_path, *options) as (process, announced):
        assert json.loads(announced)["SAFEKV_EMULATOR_VAULTS"] == before
        assert "as before" not in _end(process)[1]


def test_killed_it_has_saved_what_is_older_than_a_second(tmp_path: Path, run_client: RunClient) -> None:
    state = tmp_path / "vaults.json"
    with _running(tmp_path, "--state", str(state), "--format", "json") as (process, announced):
        run_client(SET, json.loads(announced))
        deadline = time.monotonic() + 10
        while "kept" not in state.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()


def test_a_managed_hsm(tmp_path: Path, run_client: RunClient) -> None:
    with _running(tmp_path, "--hsm", "pool", "--format", "json") as (process, ready):
        variables = json.loads(ready)
        assert variables["SAFEKV_EMULATOR_VAULTS"] == f"pool={variables['AZURE_KEY_VAULT_URL']}"
        program = SET.replace("secrets", "keys").replace("SecretClient", "KeyClient")
        assert run_client(program.replace('set_secret("a", "kept")', "get_random_bytes(8)"), variables).returncode == 0
        _end(process)


def test_limits_are_settable(tmp_path: Path, run_client: RunClient) -> None:
    source = SET.replace("DefaultAzureCredential())", "DefaultAzureCredential(), retry_total=0)")
    with _running(tmp_path, "--format", "json", "--limit", "secret_create=0", "--limit", "window=3.5") as (
        process,
        text,
    ):
        done = run_client(source, json.loads(text), check=False)
        assert "(Throttled)" in done.stderr
        _end(process)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--host", "0.0.0.0"], 1, "can be reached from other machines"),
        (["--limit", "others=5"], 2, "'others=5' is not NAME=VALUE with a name of secret_create, other"),
        (["--limit", "other=-5"], 2, "other must be "),
        (["--vault", "a b"], 1, "name must be like 'my-vault', not 'a b'"),
        (["--ready-file", "/nonexistent/ready"], 1, "No such file or directory"),
        (["--state", "/nonexistent/state"], 1, "No such file or directory"),
        (["--identity", "none"], 2, "'none' is not one of 'managed', 'workload'"),
    ],
)
def test_bad_options_are_clear_errors(arguments: list[str], code: int, message: str) -> None:
    done = subprocess.run(_command(*arguments), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_damaged_state_file_is_a_clear_error(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("{")
    done = subprocess.run(_command("--state", str(state)), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the state file ")
    assert state.read_text() == "{"


def test_help_imports_no_command() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert "Run a Key Vault on this machine" in done.stdout
    assert done.stdout.endswith("False\n")


def test_without_click_it_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", NO_CLICK], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "safekv's command line needs its extra: pip install 'safekv[cli]'\n"
