"""The SDK's published sample scripts, as separate processes against ``safekv emulator`` as another one.

With the flavour ``sdk`` they run as they are; with ``safekv``, as ``safekv migrate --write``
leaves them, and nothing else is done to them. Trust comes from the environment: the
clients verify certificates and challenges, which the controls prove, and get their tokens
from an unmodified ``DefaultAzureCredential``.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import certificate_files
from migration import migrate
from outcomes import FLAVOURS, Flavour, Outcome, Run, Runs
from suite import clean_environment

TIMEOUT = 120.0
START_TIMEOUT = 30.0
#: Scripts under way at once. Those that sleep for a minute do not keep a core busy.
WORKERS = 6
#: What differs from run to run in a correct output.
_VARYING = re.compile(
    r"https://127\.0\.0\.1:\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|mhsm-[a-z-]+-\d{16}"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
)

#: What the scripts say, sync and async, by package: a script that is not here is to succeed, too.
EXPECTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "secrets": {
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
    },
    "keys": {
        "backup_restore_operations": ("Purged key with name", "Restored key with name"),
        "recover_purge_operations": ("Recovered key 'rsaKeyName", "Purged 'ecKeyName"),
        "list_operations": ("has version:", "has recovery id 'https://"),
        "hello_world": ("was updated to expire on",),
        "key_rotation": ("Rotated the key on-demand", "Deleted the key"),
        "send_request": ("Key with ID https://", "Deleted key sampleKey"),
    },
    "certificates": {
        "backup_restore_operations": ("Purged certificate", "Restored certificate"),
        "recover_purge_operations": ("Recovered Certificate", "permanently deleted"),
        "list_operations": ("was created again with tags", "has recovery id 'https://"),
        "hello_world": ("was updated with tags", "was deleted"),
        "import_certificate": ("PFX certificate 'pfxCert", "PEM-formatted certificate 'pemCert"),
        "parse_certificate": ("was parsed", "is being purged"),
        "issuers": ("issuer2",),
        "contacts": ("admin2@contoso.com",),
    },
    "administration": {
        "access_control_operations": (
            "Role name: Managed HSM Crypto User",
            "Role definition 'customRole' updated successfully.",
            "Role assignment deleted successfully.",
            "Role definition deleted successfully.",
        ),
        "backup_restore_operations": ("Vault backed up successfully.", "Vault restored successfully."),
        "settings_operations": ("Old value: false. New value: true", "Restore original value"),
        "settings_operations_async": (),
    },
}
#: Scripts that do not work, and what they say. This one gives a definition's id for its name, to delete it by: an HSM
#: refuses that, and so do we.
BROKEN = {("administration", "access_control_operations_async.py"): "GUID"}
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
CONTROLS = (UNTRUSTED, FOREIGN_CHALLENGE)


def cases(samples: Path, package: str) -> list[Case]:
    """Every script of the package, those that sleep a minute first; the controls are tried with one package."""
    expected = EXPECTED[package]
    scripts = {path.name for path in samples.glob("*.py")} | {f"{name}.py" for name in expected}
    found = []
    for script in sorted(scripts, key=lambda name: ("backup" not in name, name)):
        stem = script.removesuffix(".py")
        lines = expected.get(stem, expected.get(stem.removesuffix("_async"), ()))
        error = BROKEN.get((package, script), "")
        found.append(Case(script, () if error else lines, error, hsm=package == "administration"))
    return [*found, *(CONTROLS if package == "secrets" else ())]


class EmulatorFailed(Exception):
    """``safekv emulator`` did not start, or did not end, as it should."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a script ended; ``code`` is None if it had to be ended."""

    code: int | None
    output: str
    errors: str


def run_all(sdist: Path, directory: Path, package: str) -> dict[Flavour, Run]:
    """Run every case with both flavours, several at a time."""
    began = time.monotonic()
    runs: dict[Flavour, Run] = {flavour: Run() for flavour in FLAVOURS}
    all_cases = cases(sdist / "samples", package)
    try:
        with _emulator(directory, all_cases) as variables:
            _run_cases(all_cases, sdist / "samples", directory, variables, runs)
    except EmulatorFailed as error:
        for run in runs.values():
            run.add("safekv emulator", Outcome("failed", str(error)))
    for run in runs.values():
        run.seconds = time.monotonic() - began
    return runs


def _run_cases(
    all_cases: Sequence[Case], samples: Path, directory: Path, variables: dict[str, str], runs: Runs
) -> None:
    scripts = {flavour: _written(flavour, samples, directory) for flavour in FLAVOURS}
    runs["safekv"].add("safekv migrate", migrate(scripts["safekv"]))
    runs["sdk"].add("safekv migrate", Outcome("passed", "there is nothing to migrate"))
    variables = {**variables, **certificate_files.written(directory)}
    with ThreadPoolExecutor(WORKERS) as pool:
        ended = {
            (case, flavour): pool.submit(_run, case, flavour, scripts[flavour], variables)
            for case in all_cases
            for flavour in FLAVOURS
        }
    for case in all_cases:
        sdk, safekv = (ended[case, flavour].result() for flavour in FLAVOURS)
        runs["sdk"].add(case.name, _judged(case, sdk))
        runs["safekv"].add(case.name, _compared(case, safekv, sdk))


def _written(flavour: Flavour, samples: Path, directory: Path) -> Path:
    """A directory with the scripts for this flavour."""
    scripts = directory / flavour
    scripts.mkdir()
    for sample in samples.glob("*.py"):
        shutil.copy(sample, scripts)
    return scripts


@contextlib.contextmanager
def _emulator(directory: Path, all_cases: Sequence[Case]) -> Iterator[dict[str, str]]:
    """``safekv emulator`` as a user starts it; yields the variables from its ready file."""
    ready, log = directory / "emulator.json", directory / "emulator.log"
    vaults = [
        option
        for case in all_cases
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
    if _said(ours) != _said(theirs):
        return Outcome("failed", "its output is not the one that it has with the SDK's classes")
    new = [line for line in ours.errors.splitlines() if line not in theirs.errors.splitlines()]
    return Outcome("failed", f"on stderr, with safekv only: {new[:5]}") if new else outcome


def _said(ended: Ended) -> list[str]:
    """Its lines, in no order: versions are listed by their ids, which are random."""
    return sorted(_VARYING.sub("*", ended.output).splitlines())
