"""The SDK's published sample scripts, as separate processes against ``safekv emulator`` as another one.

With the flavour ``sdk`` they run as they are; with ``safekv``, ``azure.keyvault`` and
``azure.identity`` are replaced, and nothing else. Trust comes from the environment: the
clients verify certificates and challenges, which the controls prove, and get their tokens
from an unmodified ``DefaultAzureCredential``.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from outcomes import FLAVOURS, Flavour, Outcome, Run, Runs
from suite import clean_environment

TIMEOUT = 120.0
START_TIMEOUT = 30.0
#: Scripts under way at once. Those that sleep for a minute do not keep a core busy.
WORKERS = 6
REPLACED = {"azure.keyvault": "safekv", "azure.identity": "safekv.identity"}
#: What differs from run to run in a correct output.
_VARYING = re.compile(
    r"https://127\.0\.0\.1:\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|mhsm-[a-z-]+-\d{16}"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
)

SECRETS = {
    # The one that sleeps a minute comes first.
    "backup_restore_operations": (
        "Backup created for secret",
        "Purged secret",
        "Restored secret with name 'backupRestore",
    ),
    "recover_purge_operations": ("Recovered Secret with name 'recoverPurgeBank", "permanently deleted"),
    "list_operations": ("'listOpsStorageSecretName", "has version:", "has recovery id 'https://"),
    "hello_world": (
        "was found with value 'helloWorldSecretValue'",
        "created with value 'newSecretValue",
        "was deleted",
    ),
}


ADMINISTRATION = {
    "access_control_operations": (
        "Role name: Managed HSM Crypto User",
        "Role definition 'customRole' updated successfully.",
        "Role assignment deleted successfully.",
        "Role definition deleted successfully.",
    ),
    "backup_restore_operations": ("Vault backed up successfully.", "Vault restored successfully."),
    "settings_operations": ("Old value: false. New value: true", "Restore original value"),
}
#: What the scripts ask for that the emulator does not say. It has no blob service, and asks for none.
VARIABLES = {
    "CONTAINER_URL": "https://account.blob.core.windows.net/backups",
    "CLIENT_ID": "00000000-0000-0000-0000-00000000c0de",
    "AZURE_CLIENT_ID": "00000000-0000-0000-0000-00000000c0de",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One script, and what is to come of it: success, or for a control a failure that says ``error``."""

    script: str
    expected: tuple[str, ...] = ()
    error: str = ""
    hsm: bool = False

    @property
    def name(self) -> str:
        return f"{self.script} ({self.error})" if self.error else self.script

    def vault(self, flavour: Flavour) -> str:
        """A vault of its own, because the scripts leave deleted secrets behind."""
        return re.sub(r"[^0-9a-z]+", "-", f"{flavour}-{self.name}".lower()).strip("-")


UNTRUSTED = Case("hello_world.py", error="CERTIFICATE_VERIFY_FAILED")
FOREIGN_CHALLENGE = Case("hello_world.py", error="does not match the requested domain")
CASES = {
    "secrets": [
        *(Case(f"{name}{suffix}.py", lines) for name, lines in SECRETS.items() for suffix in ("", "_async")),
        UNTRUSTED,
        FOREIGN_CHALLENGE,
    ],
    "administration": [
        *(Case(f"{name}.py", lines, hsm=True) for name, lines in ADMINISTRATION.items()),
        Case("backup_restore_operations_async.py", ADMINISTRATION["backup_restore_operations"], hsm=True),
        Case("settings_operations_async.py", hsm=True),
        # It gives a definition's id for its name, to delete it by: an HSM refuses that, and so do we.
        Case("access_control_operations_async.py", error="GUID", hsm=True),
    ],
}


class EmulatorFailed(Exception):
    """``safekv emulator`` did not start, or did not end, as it should."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a script ended; ``code`` is None if it had to be ended."""

    code: int | None
    output: str
    errors: str


def run_all(sdist: Path, directory: Path, package: str) -> dict[Flavour, Run]:
    """Run every case of a package with both flavours, several at a time."""
    began = time.monotonic()
    runs: dict[Flavour, Run] = {flavour: Run() for flavour in FLAVOURS}
    try:
        with _emulator(directory, CASES[package]) as variables:
            _run_cases(sdist / "samples", directory, variables, CASES[package], runs)
    except EmulatorFailed as error:
        for run in runs.values():
            run.add("safekv emulator", Outcome("failed", str(error)))
    for run in runs.values():
        run.seconds = time.monotonic() - began
    return runs


def _run_cases(samples: Path, directory: Path, variables: dict[str, str], cases: Sequence[Case], runs: Runs) -> None:
    scripts = {flavour: _written(flavour, samples, directory) for flavour in FLAVOURS}
    with ThreadPoolExecutor(WORKERS) as pool:
        ended = {
            (case, flavour): pool.submit(_run, case, flavour, scripts[flavour], variables)
            for case in cases
            for flavour in FLAVOURS
        }
    for case in cases:
        sdk, safekv = (ended[case, flavour].result() for flavour in FLAVOURS)
        runs["sdk"].add(case.name, _judged(case, sdk))
        runs["safekv"].add(case.name, _compared(case, safekv, sdk))


def rewritten(text: str) -> str:
    """The sample as somebody who migrates would write it."""
    for theirs, ours in REPLACED.items():
        text = text.replace(theirs, ours)
    return text


def _written(flavour: Flavour, samples: Path, directory: Path) -> Path:
    """A directory with the scripts of this flavour."""
    scripts = directory / flavour
    scripts.mkdir()
    for sample in samples.glob("*.py"):
        text = sample.read_text(encoding="utf-8")
        (scripts / sample.name).write_text(rewritten(text) if flavour == "safekv" else text, encoding="utf-8")
    return scripts


@contextlib.contextmanager
def _emulator(directory: Path, cases: Sequence[Case]) -> Iterator[dict[str, str]]:
    """``safekv emulator`` as a user starts it; yields the variables from its ready file."""
    ready, log = directory / "emulator.json", directory / "emulator.log"
    vaults = [
        option
        for case in cases
        for flavour in FLAVOURS
        for option in ("--hsm" if case.hsm else "--vault", case.vault(flavour))
    ]
    command = [sys.executable, "-m", "safekv", "emulator", "--format", "json", "--ready-file", str(ready), *vaults]
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=said)
    try:
        _wait_for(ready, process, log)
        yield json.loads(ready.read_text(encoding="utf-8"))
    finally:
        _end(process)
    if process.returncode != 0 or ready.exists():
        raise EmulatorFailed(f"it did not end cleanly: exit code {process.returncode}\n{log.read_text()}")


def _wait_for(ready: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmulatorFailed(f"it ended, or was not ready after {START_TIMEOUT:.0f} s; it said:\n{log.read_text()}")
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(case: Case, flavour: Flavour, scripts: Path, variables: dict[str, str]) -> Ended:
    urls = dict(vault.split("=", 1) for vault in variables["SAFEKV_EMULATOR_VAULTS"].split(","))
    url = urls[case.vault(flavour)]
    if case is FOREIGN_CHALLENGE:
        url = url.replace("127.0.0.1", "localhost")  # the same vault, but not the name that its challenges know
    environment = {**clean_environment(), **variables, "VAULT_URL": url}
    if case.hsm:
        environment |= {**VARIABLES, "MANAGED_HSM_URL": url}
    if case is UNTRUSTED:
        environment = {name: value for name, value in environment.items() if value != variables["SSL_CERT_FILE"]}
    command = [sys.executable, str(scripts / case.script)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return Ended(None, "", f"not finished after {TIMEOUT:.0f} s")
    return Ended(done.returncode, done.stdout, done.stderr.replace(str(scripts), "SAMPLES"))


def _judged(case: Case, ended: Ended) -> Outcome:
    """Whether the script did what it is for."""
    if case.error:
        good = ended.code not in (0, None) and case.error in ended.errors
        return Outcome("passed") if good else Outcome("failed", f"should have failed with {case.error!r}")
    if ended.code != 0:
        return Outcome("failed", f"exit code {ended.code}: {ended.errors[-1500:]}")
    missing = [line for line in case.expected if line not in ended.output]
    return Outcome("failed", f"its output has no {missing}") if missing else Outcome("passed")


def _compared(case: Case, ours: Ended, theirs: Ended) -> Outcome:
    """The same, and that it said what it says with the SDK's classes."""
    outcome = _judged(case, ours)
    if case.error or outcome.state == "failed":
        return outcome
    if _VARYING.sub("*", ours.output) != _VARYING.sub("*", theirs.output):
        return Outcome("failed", "its output is not the one that it has with the SDK's classes")
    new = [line for line in ours.errors.splitlines() if line not in theirs.errors.splitlines()]
    return Outcome("failed", f"on stderr, with safekv only: {new[:5]}") if new else outcome
