"""Errors as a command line shows them: what is wrong and what to do, and no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from azure.core.exceptions import AzureError

from safekv.errors import SafeKVError


class Failure(click.ClickException):
    """An error with the exit code of the command that it ends."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it so


@contextmanager
def told(exit_code: int = 1) -> Iterator[None]:
    """Errors of safekv, of Azure and of files end the command with this exit code."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads on: click ends without a word
    except (SafeKVError, AzureError, OSError) as error:
        raise Failure(said(error), exit_code) from None


def said(error: BaseException) -> str:
    """An error's own words, or the operating system's with the file that they are about."""
    if isinstance(error, OSError) and not isinstance(error, SafeKVError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__
