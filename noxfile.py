"""Everything that has to pass before a change lands. ``nox`` runs all of it; ``nox -s lint`` a part."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

HERE = Path(__file__).parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PYPROJECT = nox.project.load_toml("pyproject.toml")

nox.options.error_on_external_run = True
nox.options.default_venv_backend = "uv|virtualenv"  # uv installs in seconds what pip does in a minute
os.environ.setdefault("UV_SYSTEM_CERTS", "1")  # and trusts whom the system trusts, as pip does
nox.options.reuse_existing_virtualenvs = True


def _works(python: str) -> bool:
    found = shutil.which(python)
    return bool(found) and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0


def _interpreters() -> list[str]:
    """The versions that are on this machine. pyenv's are found even where they are not activated."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in PYTHONS:
        if not _works(f"python{version}"):
            for home in sorted(versions.glob(f"{version}.*"), reverse=True)[:1]:
                os.environ["PATH"] = os.pathsep.join([str(home / "bin"), os.environ["PATH"]])
    return [version for version in PYTHONS if _works(f"python{version}")]


FOUND = _interpreters()
NEWEST_COMMON = "3.11" if "3.11" in FOUND else FOUND[-1]
IN_PARALLEL = ("-n", "auto")


def _install(session: nox.Session, *groups: str, extras: str = "aio,cli", editable: bool = True) -> None:
    requirements = nox.project.dependency_groups(PYPROJECT, *groups) if groups else ()
    session.install(*(["-e"] if editable else []), f".[{extras}]" if extras else ".", *requirements)


@nox.session(python=NEWEST_COMMON)
def lint(session: nox.Session) -> None:
    """Format, style, and the floors of the architecture."""
    _install(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session(python=NEWEST_COMMON)
def types(session: nox.Session) -> None:
    """mypy --strict over the package and over what its users write."""
    _install(session, "types")
    session.run("mypy")


@nox.session(python=FOUND)
def tests(session: nox.Session) -> None:
    """Every test on the oldest and the newest Python; on those between, the tests of the doors."""
    _install(session, "test", "witness", "integrations", "examples", "report")
    some = () if session.posargs or session.python in (FOUND[0], FOUND[-1]) else ("tests/doors",)
    session.run("pytest", *IN_PARALLEL, *some, *session.posargs)


@nox.session(python=FOUND[0])
def floors(session: nox.Session) -> None:
    """Every door with the oldest releases of what safekv depends on directly, as pyproject.toml has them."""
    session.install("uv")
    session.run("uv", "pip", "install", "--quiet", "--resolution", "lowest-direct", "-e",
                ".[aio,cli,administration,management,pydantic]")  # fmt: skip
    session.install(*nox.project.dependency_groups(PYPROJECT, "test"))  # what is there already stays
    doors = ("every_door", "parity", "certificates", "cryptography", "sharing", "tokens", "get_many", "load_as")
    session.run("pytest", *IN_PARALLEL, *(f"tests/doors/test_{door}.py" for door in doors), *session.posargs)


@nox.session(python=NEWEST_COMMON, default=False)
def coverage(session: nox.Session) -> None:
    """The same with branch coverage, which doubles the time they take."""
    _install(session, "test", "witness", "integrations", "examples", "report")
    session.run("pytest", *IN_PARALLEL, "--cov", "--cov-report=term:skip-covered", *session.posargs)


@nox.session(python=NEWEST_COMMON)
def sim(session: nox.Session) -> None:
    """The fleet simulator's goals, in short runs. Once, and without coverage: it is arithmetic, and much of it."""
    _install(session, "test")
    session.run("pytest", "tests/sim", *session.posargs)


@nox.session(python=NEWEST_COMMON)
def conformance(session: nox.Session) -> None:
    """Microsoft's own tests and samples, with the SDK's classes and with safekv's."""
    _install(session, "conformance", extras="aio,cli,migrate")
    session.run("python", "tests/conformance/run.py", *session.posargs)


@nox.session(python=NEWEST_COMMON)
def demo(session: nox.Session) -> None:
    """The README's first command."""
    _install(session, extras="cli", editable=False)
    session.chdir(session.create_tmp())
    session.run("safekv", "demo")


@nox.session(python=NEWEST_COMMON)
def wheel(session: nox.Session) -> None:
    """Build the sdist, the wheel from it, and test both where the source tree cannot be imported.

    The tests are the sdist's own, and type checkers read the installed package as a user's do.
    """
    away = Path(session.create_tmp()).resolve()
    shutil.rmtree(away / "dist", ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--outdir", str(away / "dist"), silent=True)
    (built,) = (away / "dist").glob("safekv-*.whl")
    (source,) = (away / "dist").glob("safekv-*.tar.gz")
    session.install("--force-reinstall", "--no-deps", str(built))
    session.install(f"{built}[aio,cli]", "pyright", *nox.project.dependency_groups(PYPROJECT, "test", "types"))
    shutil.rmtree(away / "source", ignore_errors=True)
    shutil.unpack_archive(source, away / "source")
    (unpacked,) = (away / "source").iterdir()
    shutil.rmtree(unpacked / "safekv")  # what is tested is what is installed
    session.chdir(unpacked)
    session.run("python", "-c", "import safekv; assert 'site-packages' in safekv.__file__, safekv.__file__")
    session.run("safekv", "--version")
    session.run("pytest", *IN_PARALLEL, "tests/doors", *session.posargs)
    session.run("mypy", "--strict", "tests/typing")
    session.run("pyright", "tests/typing")


@nox.session(python=NEWEST_COMMON)
def extras(session: nox.Session) -> None:
    """``pip install 'safekv[all]'`` has an answer on each Python, whether or not it is on this machine."""
    session.install("uv")
    for python in PYTHONS:
        session.run("uv", "pip", "compile", "--quiet", "--python-version", python, "--extra", "all", "pyproject.toml",
                    "--output-file", os.devnull)  # fmt: skip


@nox.session(python=NEWEST_COMMON, default=False)
def lock(session: nox.Session) -> None:
    """Write requirements/dev.txt: what a development environment holds, with hashes, for every Python and system."""
    session.install("uv")
    groups = [
        part
        for group in ("lint", "types", "test", "witness", "integrations", "examples", "report", "docs")
        for part in ("--group", group)
    ]
    session.run("uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--python-version", PYTHONS[0],
                "--extra", "all", *groups, "--generate-hashes", "--no-header", "pyproject.toml",
                "--output-file", "requirements/dev.txt")  # fmt: skip


@nox.session(python=NEWEST_COMMON, default=False)
def release(session: nox.Session) -> None:
    """Build what is published, twice to the same bytes, with an SBOM (CycloneDX) of what it installs beside it."""
    dist = HERE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install(*nox.project.dependency_groups(PYPROJECT, "release"))
    written = session.run("git", "log", "-1", "--format=%ct", external=True, silent=True)
    again = Path(session.create_tmp()).resolve() / "again"
    shutil.rmtree(again, ignore_errors=True)
    for out in (dist, again):
        session.run(
            "python", "-m", "build", "--outdir", str(out), silent=True, env={"SOURCE_DATE_EPOCH": written.strip()}
        )
    for path in sorted(dist.iterdir()):
        if path.read_bytes() != (again / path.name).read_bytes():
            session.error(f"{path.name} is not the same when it is built again")
    session.run("twine", "check", "--strict", *map(str, dist.iterdir()))
    (built,) = dist.glob("*.whl")
    installed = Path(session.create_tmp()).resolve() / "installed"
    session.run("python", "-m", "venv", "--clear", str(installed))
    python = str(installed / "bin" / "python")
    session.run(python, "-m", "pip", "install", "--quiet", str(built), external=True)
    session.run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools", external=True)
    session.run("cyclonedx-py", "environment", "--output-reproducible", "--pyproject", "pyproject.toml",
                "--output-file", str(dist / f"{built.stem}.cdx.json"), python)  # fmt: skip


@nox.session(python=NEWEST_COMMON)
def docs(session: nox.Session) -> None:
    """Build the site into site/: every link, anchor and page of the navigation has to be right. Fetches nothing."""
    _build_site(session)


@nox.session(name="site-check", python=NEWEST_COMMON, default=False)
def site_check(session: nox.Session) -> None:
    """Look at the built site in a browser, if there is one: links, search, nothing fetched from elsewhere."""
    _build_site(session, "browser")
    session.run("python", "tests/site/check.py", "site", *session.posargs)


def _build_site(session: nox.Session, *groups: str) -> None:
    _install(session, "docs", *groups, extras="cli")
    # Not with --quiet: what is not logged is not counted.
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(python=NEWEST_COMMON)
def fuzz(session: nox.Session) -> None:
    """Each parser of what comes from outside, for some seconds. ``-- --seconds 1800`` looks for longer."""
    _install(session, "fuzz")
    session.run("python", "-m", "tests.fuzz.run", *(session.posargs or ("--seconds", "1")))


@nox.session(python=NEWEST_COMMON, default=False)
def soak(session: nox.Session) -> None:
    """Ten minutes of everything at once in one process; writes docs/soak.md. ``-- --minutes 1`` for a shorter one."""
    _install(session)
    session.run("python", "-m", "tests.soak.run", "--report", "docs/soak.md", *session.posargs)


@nox.session(python=NEWEST_COMMON, default=False)
def spark(session: nox.Session) -> None:
    """Spark with safekv's columns: half a gigabyte to install, so only when it is asked for. Needs a Java 17."""
    _install(session, extras="aio,arrow,spark")
    for master in session.posargs or ("local[2]", "local-cluster[2,1,1024]"):
        session.run("python", "tests/spark/check.py", master)


@nox.session(python=NEWEST_COMMON, default=False)
def ray(session: nox.Session) -> None:
    """Ray's tasks and data sets with one encryptor: a quarter of a gigabyte, so only when it is asked for."""
    _install(session, "ray", extras="aio,arrow")
    session.run("python", "tests/ray/check.py", env={"RAY_AUTH_MODE": "disabled"})


@nox.session(python=NEWEST_COMMON, default=False)
def nonces(session: nox.Session) -> None:
    """Ten million nonces from eight forked processes, and none of them twice. A minute."""
    _install(session, extras="")
    session.run("python", "-m", "benchmarks.nonces", *session.posargs)


@nox.session(python=NEWEST_COMMON, default=False)
def bench(session: nox.Session) -> None:
    """Every claim against its peers, and docs/benchmarks.md: 25 minutes, on a machine that does nothing else."""
    extras = "aio,cli,arrow,pydantic,appconfig"
    if shutil.which("java"):
        extras += ",spark"
    _install(session, "bench", "report", "witness", extras=extras)
    session.run("python", "-m", "benchmarks.report", *session.posargs)
