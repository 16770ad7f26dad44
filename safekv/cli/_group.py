"""The group of all commands. A command's module is imported when the command is used, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

import safekv

# The name, and what ``safekv --help`` says of it. The module ``safekv.cli.NAME`` has it as ``command``.
COMMANDS = {
    "access": "Who may do what in a vault, and what a deployment would do to that.",
    "check": "See whether all secrets can be had that an application needs.",
    "decrypt": "Decrypt files and pipes with a key ring.",
    "demo": "Run a small application with the SDK and with safekv, and compare.",
    "doctor": "Look for what is wrong between this machine and a vault.",
    "emulator": "Run a Key Vault on this machine, for development and tests.",
    "encrypt": "Encrypt files and pipes with a key ring.",
    "exec": "Run a command with secrets in its environment.",
    "explain": "Say what an error means, and what to do about it.",
    "get": "Show a secret's properties, or its value.",
    "keyring": "Make, show and change key rings.",
    "list": "List the secrets of a vault, without their values.",
    "migrate": "Move an application from the Azure SDK to safekv, and lint it.",
    "top": "Watch what processes, or an emulator, ask of their vaults.",
}


class LazyGroup(click.Group):
    """A group whose commands are in modules of their own."""

    def __init__(self, *, lazy: Mapping[str, str], name: str | None = None, help: str | None = None) -> None:
        super().__init__(name, help=help)
        self._lazy = lazy

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._lazy:
            return None
        command: click.Command = import_module(f"safekv.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lazy.items()))


main = click.version_option(safekv.__version__, prog_name="safekv")(
    LazyGroup(lazy=COMMANDS, name="safekv", help="The client side of Azure Key Vault, done once.")
)
