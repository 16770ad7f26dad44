"""Moving an application from the Azure SDK to safekv: functions over the text of its files. Needs libcst.

``examine`` migrates and looks at one file, ``Report`` puts many together, and ``reports.FORMATS`` shows them. Nothing
here reads or writes a file: ``safekv migrate`` does.
"""

from __future__ import annotations

from safekv.errors import MissingPackage

try:
    import libcst  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "libcst":
        raise
    raise MissingPackage("safekv migrate needs libcst.", hint="pip install 'safekv[cli,migrate]'") from error

from safekv.migrate._examine import Examined, decoded, examine
from safekv.migrate._findings import Finding, Rule
from safekv.migrate._lint import lint
from safekv.migrate._rewrite import Rewritten, rewrite
from safekv.migrate._rules import RULES
from safekv.migrate.reports import FORMATS, Report
from safekv.migrate.rules.versions import is_requirements

__all__ = [
    "FORMATS",
    "RULES",
    "Examined",
    "Finding",
    "Report",
    "Rewritten",
    "Rule",
    "decoded",
    "examine",
    "is_requirements",
    "lint",
    "rewrite",
]
