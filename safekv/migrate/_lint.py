"""All rules over one file's text."""

from __future__ import annotations

import ast
import warnings

from safekv.migrate._checks import CHECKS
from safekv.migrate._code import Code
from safekv.migrate._findings import Finding, ignored_lines, kept


def lint(text: str, path: str = "<text>", *, test: bool = False) -> list[Finding]:
    """What the guide warns of in this text, in order. In tests nothing of it is a fault.

    :raises SyntaxError: if this Python cannot parse it.
    """
    tree = parse(text, path)
    if test:
        return []
    code = Code(tree, text, path)
    return kept((finding for check in CHECKS for finding in check(code)), ignored_lines(text))


def parse(text: str, path: str = "<text>") -> ast.Module:
    """The tree of this text.

    :raises SyntaxError: whatever is wrong with it: null bytes, or nesting that is too deep for the parser.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the file's own Python says of its escapes
            return ast.parse(text, path)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__, (path, 1, 1, None)) from None
