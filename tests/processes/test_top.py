"""``safekv top`` and what processes publish for it: real processes, forked ones among them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from safekv import _events
from safekv.errors import InvalidArgument
from safekv.observability import publish

from .conftest import Run

pytestmark = pytest.mark.sockets
pytest.importorskip("rich")

APPLICATION = """
import os, subprocess, sys, time
from safekv.observability import publish
from safekv.secrets import SecretClient

directory = sys.argv[1]
stop = publish(directory, interval=0.05, title="my-app")
client = SecretClient(os.environ["AZURE_KEY_VAULT_URL"])
for _ in range(5):
    client.get_secret("s1", max_age=0)

def top(*arguments):
    time.sleep(0.3)
    command = [sys.executable, "-m", "safekv", "top", "--directory", directory, "--once", "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
"""


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_process_is_shown_and_is_gone_when_it_ends(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "numbers"
    printed = run(
        APPLICATION
        + """
print(top())
print(top(str(os.getpid())))
name = os.path.join(directory, f"{os.getpid()}.json")
assert os.stat(name).st_mode & 0o777 == 0o600
assert os.stat(directory).st_mode & 0o777 == 0o700
with open(name) as file:
    text = file.read()
assert "s1" not in text and "value-one" not in text
stop()
assert not os.listdir(directory)
publish(directory)                            # and this one ends with the process
""",
        str(directory),
    )
    both, one = rows(printed)
    (vault,) = both["vaults"]
    (operation,) = vault["operations"]
    assert both["watched"].startswith("my-app (")
    assert (operation["name"], operation["statuses"], operation["requests"]) == ("get_secret", {"200": 5}, 5)
    assert operation["p99"] > 0
    assert (both["tokens"], vault["throttled"]) == (1, 0)
    assert one["vaults"][0]["operations"][0]["statuses"] == operation["statuses"]
    assert list(directory.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_worker_publishes_its_own(run: Run, tmp_path: Path) -> None:
    printed = run(
        APPLICATION
        + """
reading, writing = os.pipe()
done, tell = os.pipe()
child = os.fork()
if not child:
    for _ in range(3):
        client.get_secret("s2", max_age=0)
    os.write(tell, b"x")
    os.read(reading, 1)
    os._exit(0)                               # as workers end that are killed: its file stays for a while
os.read(done, 1)
print(top(str(child)))
print(top())
os.write(writing, b"x")
os.waitpid(child, 0)
""",
        str(tmp_path / "numbers"),
    )
    of_child, of_both = rows(printed)
    assert of_child["vaults"][0]["traffic"]["statuses"] == {"200": 3}
    assert of_both["vaults"][0]["traffic"]["statuses"] == {"200": 8}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_it_goes_on_until_it_is_told_to_end(tmp_path: Path) -> None:
    stop = publish(tmp_path / "numbers", interval=0.1, title="me")
    command = [sys.executable, "-m", "safekv", "top", "--directory", str(tmp_path / "numbers"), "--interval", "0.1"]
    with subprocess.Popen(
        [*command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs the tests may ignore it
    ) as watching:
        assert watching.stdout
        lines = [watching.stdout.readline() for _ in range(3)]
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=20)
    stop()
    assert (watching.returncode, errors) == (0, "")
    assert [json.loads(line)["watched"] for line in lines] == [f"me ({os.getpid()})"] * 3


def test_nobody_to_watch(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "safekv", "top", "--directory", str(tmp_path / "none"), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "publish()" in done.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX")
def test_what_killed_processes_leave_behind_is_removed(tmp_path: Path) -> None:
    killed = """
        import os, signal, sys, time
        from safekv.observability import publish
        if sys.argv[2] == "while it writes":
            os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        publish(sys.argv[1])
        while not os.path.exists(os.path.join(sys.argv[1], f"{os.getpid()}.json")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    directory = tmp_path / "numbers"
    for when in ("while it writes", "afterwards"):
        subprocess.run([sys.executable, "-c", textwrap.dedent(killed), directory, when], check=False)
    left = sorted(directory.iterdir())
    assert [path.suffix for path in left] == [".tmp", ".json"]
    for path in left:
        os.utime(path, (0, 0))
    other = directory / "notes.tmp"
    other.write_text("")
    os.utime(other, (0, 0))
    publish(directory)()
    assert list(directory.iterdir()) == [other]


def test_a_state_that_cannot_be_told_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Source:
        asked = 0

        def states(self) -> list[Any]:
            self.asked += 1
            if self.asked < 3:
                raise RuntimeError("changed while it was read")
            return []

    source = Source()
    _events.has_state(source)
    stop = publish(tmp_path, interval=0.05)
    try:
        ends = time.monotonic() + 20
        while source.asked < 4 and time.monotonic() < ends:
            time.sleep(0.01)
        assert (tmp_path / f"{os.getpid()}.json").exists()
    finally:
        stop()
    assert caplog.text.count("were not published") == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX")
def test_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(InvalidArgument, match="Other users may write"):
        publish(shared)
    (tmp_path / "file").write_text("")
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(InvalidArgument, match="no directory"):
        publish(link)
    with pytest.raises(InvalidArgument, match="cannot be made"):
        publish(tmp_path / "file" / "below")
    command = [sys.executable, "-m", "safekv", "top", "--directory", str(shared), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Other users may write" in done.stderr


def test_an_interval_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="interval=0"):
        publish(tmp_path, interval=0)
