"""``safekv exec``, ``check``, ``get`` and ``list`` as processes, against the emulator over TLS."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safekv.emulator import EmulatorServer

pytestmark = pytest.mark.sockets

VALUE = "hunter2\x1b[31m\n"
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(vaults=("one", "two")) as running:
        for vault in running.emulator.vaults.values():
            vault.set_secret("pw", f"{vault.name}'s {VALUE}", tags={"env": "prod"})
            vault.set_secret("off", VALUE, enabled=False)
            vault.set_secret("app1-db-url", f"url {VALUE}")
        yield running


def environment(server: EmulatorServer) -> dict[str, str]:
    return {**os.environ, **server.environment(), "SAFEKV_CACHE": "off", "COLUMNS": "200"}


@pytest.fixture
def run(server: EmulatorServer, tmp_path: Path) -> Run:
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-m", "safekv", *arguments],
            env={**environment(server), **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done

    return run


def test_exec_gives_a_command_its_secrets(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_FILE=kv://two/pw\nPLAIN='x'\nHOME=ignored\n")
    (tmp_path / "map.toml").write_text('MAPPED = "pw"\nOTHER = "kv://two/pw"\n')
    done = run(
        *("exec", "--env-file", ".env", "--prefix", "app1_", "--map", "map.toml", "--", sys.executable, "-c", SHOW),
        INHERITED="@Microsoft.KeyVault(VaultName=one;SecretName=pw)",
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["FROM_FILE"] == shown["OTHER"] == f"two's {VALUE}"
    assert shown["INHERITED"] == shown["MAPPED"] == f"one's {VALUE}"
    assert (shown["DB_URL"], shown["PLAIN"], shown["HOME"]) == (f"url {VALUE}", "x", os.environ["HOME"])
    assert ".env:3 HOME is not used: the variable is set already" in done.stderr
    assert "hunter2" not in done.stderr


def test_exec_with_only_pristine_override(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=kv://two/pw\nB=kv://two/absent\nHOME=mine\n")
    done = run(
        *(
            "exec",
            "--env-file",
            ".env",
            "--only",
            "A,HOME",
            "--pristine",
            "--override",
            "--",
            sys.executable,
            "-c",
            SHOW,
        )
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert {name for name in shown if not name.startswith("LC_")} == {"A", "HOME", "PATH"}
    assert shown["HOME"] == "mine"


def test_exec_starts_nothing_if_anything_is_wrong_and_lists_all_of_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "OK=kv://two/pw\n\nGONE=kv://two/absent\nOFF=kv://one/off\nEVIL=kv://evil.example.com/a\n"
        "BAD=@Microsoft.KeyVault(SecretUri=\n"
    )
    done = run("exec", "--env-file", ".env", "--only", "OK,GONE,OFF,EVIL,BAD,NOWHERE", "--", "touch", "started")
    assert done.returncode == 125
    assert not (tmp_path / "started").exists()
    for said in (
        ".env:3 GONE (absent of 127.0.0.1:",
        ".env:4 OFF (off of 127.0.0.1:",
        ".env:5 EVIL (not read): evil.example.com is not a host of Key Vault's",
        ".env:6 BAD (not read): This is not a reference",
        "--only NOWHERE (not read): No file, map or prefix has it.",
    ):
        assert said in done.stderr
    assert "OK" not in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["exec", "--timeout", "inf", "--", "true"], 125, "timeout=inf must be a positive, finite number of seconds"),
        (["exec", "--env-file", "absent.env", "--", "true"], 125, "absent.env cannot be read: No such file"),
        (["exec", "--", "no-such-command-at-all"], 127, "no-such-command-at-all: there is no such command."),
        (["exec", "--", "./file"], 126, "./file: Permission denied."),
        (["exec", "--", "sh", "-c", "exit 7"], 7, ""),
        (["exec", "--env-file", "clash.env", "--strict", "--", "true"], 125, "because of --strict"),
        (["exec"], 2, "Missing argument"),
        (["get", "absent"], 1, "Error: "),
        (["get", "a.b"], 1, "'a.b' is not a valid secret name"),
        (["list", "--tag", "env"], 2, "'env' is not NAME=VALUE"),
        (["check", "file"], 1, "no configuration file that is known"),
    ],
)
def test_exit_codes(run: Run, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "clash.env").write_text("HOME=x\n")
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def test_what_no_variable_can_have_in_this_locale_is_told(run: Run, server: EmulatorServer) -> None:
    two = next(vault for vault in server.emulator.vaults.values() if vault.name == "two")
    two.set_secret("accents", f"h\xe9 {VALUE}")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run("exec", "--", "true", A="kv://one/pw", B="kv://two/accents", **ascii_only)
    assert done.returncode == 125
    assert "It has characters that no variable can have here, where they are in ascii" in done.stderr
    assert "Set LC_ALL=C.UTF-8 or PYTHONUTF8=1." in done.stderr
    assert "hunter2" not in done.stderr


def test_the_command_is_the_process(server: EmulatorServer) -> None:
    """Signals are its own, and SIGPIPE is not ignored as Python ignores it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "safekv", "exec", "--", "sh", "-c", "echo $$; kill -PIPE $$; sleep 60"],
        env=environment(server),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        assert process.wait(20) == -signal.SIGPIPE
    process = subprocess.Popen(
        [sys.executable, "-m", "safekv", "exec", "--", "sh", "-c", "echo up; exec sleep 60"],
        env=environment(server),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM


def test_check_prints_names_and_states(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=kv://two/pw\nB=x\n")
    (tmp_path / "app.json").write_text(json.dumps({"db": {"url": "kv://one/app1-db-url"}, "n": 5}))
    done = run("check", "--env-file", ".env", "app.json", APP_PW="kv://one/pw")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "All 3 can be had."
    assert "ok  environment APP_PW  pw of 127.0.0.1:" in done.stdout
    assert "ok  .env:1 A  pw of 127.0.0.1:" in done.stdout
    assert "ok  app.json db.url  app1-db-url of" in done.stdout
    (tmp_path / "bad.json").write_text(json.dumps({"db": ["kv://one/gone", "kv://one/off", "kv://", "kv://one/pw"]}))
    done = run("check", "bad.json", "--env-file", ".env")
    assert done.returncode == 1
    assert done.stdout.count("FAILED") == 3
    assert done.stdout.count("ok  ") == 2
    for said in ("bad.json db[0] (gone of", "bad.json db[1] (off of", "bad.json db[2] (not read): This is not"):
        assert said in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_check_names_what_is_no_secret_at_all(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A_B=kv://two/a_b\nGONE=kv://two/gone\nGONE_TOO=kv://two/gone-too\n")
    (tmp_path / "settings.json").write_text('{"database": {"port": 1}}')
    done = run("check", "--env-file", ".env", "--env-file", "settings.json")
    lines = done.stderr.splitlines()
    assert lines[0] == "Error: 4 settings could not be read:"
    assert "  settings.json database (not read): Its value is no text." in lines
    advice = lines[lines.index("What to do:") + 1 :]
    assert [each.partition(": ")[0].strip() for each in advice] == [
        ".env:1 A_B",
        "there is no such secret",
        "settings.json database",
    ]


def test_get_shows_properties_and_a_value_only_when_asked(run: Run) -> None:
    done = run("get", "pw")
    assert done.returncode == 0, done.stderr
    assert "enabled       yes" in done.stdout
    assert "tag env       prod" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert run("get", "kv://two/pw", "--value").stdout == f"two's {VALUE}"
    assert run("get", "pw", "--vault", "two", "--value").stdout == f"two's {VALUE}"


def test_a_terminal_is_not_given_control_characters(server: EmulatorServer) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "safekv", "get", "pw", "--value"], env=environment(server), stdout=theirs
    )
    os.close(theirs)
    assert process.wait(30) == 0
    time.sleep(0.05)
    shown = os.read(ours, 1000).decode()
    os.close(ours)
    assert "one's hunter2\\x1b[31m" in shown
    assert "\x1b" not in shown


def test_list_shows_states(run: Run) -> None:
    done = run("list")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [(row[0], row[-1]) for row in rows] == [("enabled", "app1-db-url"), ("disabled", "off"), ("enabled", "pw")]
    assert run("list", "--names", "--prefix", "app1_").stdout == "app1-db-url\n"
    assert run("list", "--names", "--tag", "env=prod", "--vault", "two").stdout == "pw\n"


def test_a_client_finds_the_emulators_vault_by_its_name(run: Run) -> None:
    """As references and --vault do."""
    code = "from safekv.secrets import SecretClient; print(SecretClient('Two').get_secret('pw').value[:3])"
    done = run("exec", "--", sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (0, "two\n"), done.stderr


def test_a_prefix_that_brings_nothing_is_told(run: Run) -> None:
    done = run("exec", "--prefix", "ap1-", "--", "true")
    assert done.returncode == 0
    assert "no secret that can be read begins with --prefix ap1-" in done.stderr
    assert run("exec", "--prefix", "ap1-", "--strict", "--", "true").returncode == 125
    assert [run("check", "--prefix", "ap1-", *strict).returncode for strict in ((), ("--strict",))] == [0, 1]


def test_variables_of_an_emulator_that_has_ended_are_no_traceback(run: Run, tmp_path: Path) -> None:
    gone = str(tmp_path / "ca.pem")
    for command in (["list"], ["get", "pw"], ["top", "--once", "--emulator"], ["exec", "--prefix", "a", "--", "true"]):
        done = run(*command, REQUESTS_CA_BUNDLE=gone, SSL_CERT_FILE=gone, CURL_CA_BUNDLE=gone)
        assert done.returncode in (1, 125)
        assert "The emulator that these variables are of has ended." in done.stderr


def test_a_file_of_no_known_format_is_refused_with_the_names_that_are_known(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.conf").write_text("A=kv://two/pw")
    done = run("check", "--env-file", "app.conf")
    assert "its name says no format" in done.stderr
    assert ".yml, or begin with .env" in done.stderr
