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
    """Errors of safekv, of Azure and of the system end the command with this exit code."""
    try:
        yield
    except (SafeKVError, AzureError) as error:
        raise Failure(str(error), exit_code) from None
    except BrokenPipeError:
        raise  # nobody reads on; click ends quietly
    except OSError as error:
        raise Failure(str(error), exit_code) from None
