"""One file: what becomes of it, and what is found in it."""

from __future__ import annotations

import codecs
import io
import re
import sys
import tokenize
from collections.abc import Callable
from dataclasses import dataclass

from safekv.migrate._checks import versions
from safekv.migrate._findings import Finding
from safekv.migrate._lint import lint, parse
from safekv.migrate._rewrite import rewrite

#: What has none of these words needs no parsing.
_CONCERNED = re.compile(r"\bazure\b|\bsafekv\b|verify_challenge_resource")

_PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class Examined:
    """``new`` is ``old`` if nothing is replaced. ``replaced`` says what is; ``findings`` is all else, in order."""

    path: str
    old: str
    new: str
    replaced: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def changed(self) -> bool:
        return self.new != self.old


def examine(text: str, path: str, *, test: bool = False, write: bool = False) -> Examined:
    """Python is migrated and looked at, a file with dependencies looked at.

    The findings are about the text as it is: with ``write`` the new one, otherwise the old one.
    """
    is_python = not versions.is_requirements(path) or path.endswith(".py")
    new = text
    replaced: tuple[Finding, ...] = ()
    try:
        findings = versions.check(text, path) if versions.is_requirements(path) else []
        if is_python and _CONCERNED.search(text):
            new, replaced, more = _python(text, path, test, write)
            findings += more
    except SyntaxError as error:
        why = f"{_PYTHON} cannot read it: {error.msg}"
        findings = [Finding(path, error.lineno or 1, error.offset or 1, "SKV009", why)]
        new, replaced = text, ()
    except RecursionError:
        findings = [Finding(path, 1, 1, "SKV009", "it is nested too deeply")]
        new, replaced = text, ()
    return Examined(path, text, new, replaced, tuple(sorted(findings)))


def _python(text: str, path: str, test: bool, write: bool) -> tuple[str, tuple[Finding, ...], list[Finding]]:
    parse(text, path)
    done = rewrite(text, path)
    left = done.left
    if write and done.text != text:
        left = rewrite(done.text, path).left  # where it now stands
    return done.text, done.replaced, [*left, *lint(done.text if write else text, path, test=test)]


def decoded(data: bytes, path: str) -> tuple[str, Callable[[str], bytes]]:
    """The text, and what writes such text back in the same encoding, with its BOM.

    :raises SyntaxError: if it is Python that is not in the encoding that it says.
    """
    if versions.is_requirements(path) and not path.endswith(".py"):
        encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        return data.decode(encoding, "replace"), str.encode  # nothing of it is written back
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    try:
        return data.decode(encoding), lambda text: text.encode(encoding)
    except UnicodeDecodeError as error:
        raise SyntaxError(f"it is not {encoding}: {error.reason}") from None
