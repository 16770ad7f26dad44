"""Moving an application from the Azure SDK to safekv: functions over the text of its files. Needs libcst.

``examine`` migrates and looks at one file, ``Report`` puts many together, and ``FORMATS`` shows them. Nothing
here reads or writes a file: ``safekv migrate`` does.
"""

from __future__ import annotations

from safekv.errors import MissingPackage

try:
    import libcst  # noqa: F401
except ModuleNotFoundError as _error:
    if _error.name != "libcst":
        raise
    _missing = MissingPackage("safekv migrate needs libcst.", hint="pip install 'safekv[cli,migrate]'")
    _missing.name = "libcst"
    raise _missing from _error

from safekv.migrate._catalogue import RULES
from safekv.migrate._examine import Examined, examine
from safekv.migrate._findings import Finding, Rule
from safekv.migrate._lint import lint
from safekv.migrate._reports import FORMATS, Report
from safekv.migrate._rewrite import Rewritten, rewrite

__all__ = [
    "FORMATS",
    "RULES",
    "Examined",
    "Finding",
    "Report",
    "Rewritten",
    "Rule",
    "examine",
    "lint",
    "rewrite",
]
