"""Write the pages in ``docs/reference/`` that list what the code has: commands, events, errors.

    python docs/generate_reference.py

The pages are committed; a test compares them with what this writes. It needs the extras of all commands.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click

import safekv.cache
import safekv.envelope
import safekv.errors
import safekv.events
from safekv._events import Event
from safekv.cache import CacheEvent
from safekv.cli._group import COMMANDS
from safekv.errors._topics import TOPICS

FOLDER = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Every page, by its file's name."""
    return {"commands.md": _commands(), "events.md": _events(), "errors.md": _errors()}


def main() -> None:
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")


# -- commands


def _commands() -> str:
    lines = [
        "# Commands",
        "",
        "`pip install 'safekv[cli]'`. `safekv COMMAND --help` says the same, `safekv --version` which safekv it is.",
        "",
        "| | |",
        "|---|---|",
        *(f"| [`safekv {name}`](#safekv-{name}) | {said} |" for name, said in COMMANDS.items()),
    ]
    for name in COMMANDS:
        lines += _command(f"safekv {name}", import_module(f"safekv.cli.{name}").command)
    return _text(lines)


def _command(path: str, command: click.Command, level: int = 2) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("", f"{'#' * level} {path}", "", "```text", f"{path} {usage}", "```", *_help(command.help or ""))
    yield from _options(each for each in command.params if isinstance(each, click.Option))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _command(f"{path} {name}", inner, level + 1)


def _help(text: str) -> Iterator[str]:
    """The paragraphs, each on one line; click's ``\\b`` begins one that is kept as it is."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            yield from ("", "```text", *textwrap.dedent(paragraph[1:].strip("\n")).splitlines(), "```")
        else:
            yield from ("", _marked(" ".join(paragraph.split())))


def _options(options: Iterable[click.Option]) -> Iterator[str]:
    shown = [each for each in options if not each.hidden]
    if not shown:
        return
    yield from ("", "| option | | default |", "|---|---|---|")
    for option in shown:
        names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
        told, _, default = (option.help or "").partition("[default: ")
        shown_default = default.rstrip("]") if default else _default(option)
        yield f"| {names}{_takes(option)} | {_cell(_marked(told))}{_also(option)} | {_marked(shown_default)} |"


def _takes(option: click.Option) -> str:
    if option.is_flag or option.count:
        return ""
    if isinstance(option.type, click.Choice):
        return " " + ", ".join(f"`{choice}`" for choice in option.type.choices)
    return f" `{option.metavar or option.type.name.upper().split()[0]}`"


def _also(option: click.Option) -> str:
    told = []
    if option.envvar:
        names = [option.envvar] if isinstance(option.envvar, str) else option.envvar
        told.append("variable " + ", ".join(f"`{name}`" for name in names))
    if option.required:
        told.append("required")
    return f" ({'; '.join(told)})" if told else ""


def _default(option: click.Option) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    value = option.to_info_dict()["default"]
    if option.is_flag or option.required or value in (None, (), ""):
        return ""
    return "" if callable(value) else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


_WORDS = re.compile(r"(?<![`\w-])(--[a-z][\w-]*|kv://[^\s,)]+|@Microsoft\.KeyVault\(\.\.\.\)|[A-Z]+_[A-Z_]+)")


def _marked(text: str) -> str:
    """With what belongs to a shell in backticks; what is in them already stays as it is."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if number % 2 else _WORDS.sub(r"`\1`", part) for number, part in enumerate(parts)).replace(
        "<", "&lt;"
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


# -- events


def _events() -> str:
    lines = [
        "# Events",
        "",
        "`safekv.subscribe(hook)` gives every event of the process to `hook`, in the thread where it happens, and "
        "returns what ends that. A hook must be quick and must not call a vault. Events are frozen dataclasses; "
        "`vault` is the vault's host name, and durations are in seconds. None has a value or a token in it. "
        "[Throttling](../throttling.md#nothing-sleeps-silently) has an example.",
        "",
        "## Of a vault",
        "",
        "From `safekv.events`.",
        *_kinds(safekv.events),
        "",
        "## Of the secret cache",
        "",
        "From `safekv.cache`. Those of a secret have its `name` and say which `version`, never the value.",
        *_kinds(safekv.cache),
    ]
    return _text(lines)


def _kinds(module: ModuleType) -> Iterator[str]:
    """The events of a module, but for their bases."""
    for name in sorted(module.__all__):
        kind = getattr(module, name)
        if not (isinstance(kind, type) and issubclass(kind, Event)) or kind in (Event, CacheEvent):
            continue
        told, fields = _split(inspect.getdoc(kind) or "")
        yield from ("", f"### {name}", "", told, "", "| field | type | |", "|---|---|---|")
        for field in dataclasses.fields(kind):
            yield f"| `{field.name}` | `{_cell(str(field.type))}` | {_cell(fields.get(field.name, ''))} |"


def _split(doc: str) -> tuple[str, dict[str, str]]:
    """A docstring's text in Markdown, and what it says of fields."""
    text, *rest = re.split(r"^:ivar ", doc, flags=re.M)
    fields = dict(part.split(": ", 1) for part in rest)
    return _prose(text), {name: _prose(said) for name, said in fields.items()}


def _prose(text: str) -> str:
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", text.replace("``", "`")).strip()


# -- errors


def _errors() -> str:
    kinds = {name: getattr(safekv.errors, name) for name in safekv.errors.__all__}
    envelope = {
        name: kind
        for name in safekv.envelope.__all__
        if isinstance(kind := getattr(safekv.envelope, name), type) and issubclass(kind, BaseException)
    }
    lines = [
        "# Errors and warnings",
        "",
        "All are in `safekv.errors`, but for those of the envelope. Each is also a subclass of what the SDK or Python "
        "raises for that case, so that `except` clauses of today keep working. All of them pickle, and none holds a "
        "request, a token or a value. [When something is wrong](../doctor.md) says what is on them.",
        "",
        *_table({name: kind for name, kind in kinds.items() if not issubclass(kind, Warning)}),
        "",
        "## Of the envelope",
        "",
        "From `safekv.envelope`.",
        "",
        *_table(envelope),
        "",
        "## Warnings",
        "",
        *_table({name: kind for name, kind in kinds.items() if issubclass(kind, Warning)}),
        "",
        "## What is on each error",
        "",
        *_attributes(),
    ]
    return _text(lines)


def _table(kinds: dict[str, type]) -> Iterator[str]:
    yield from ("| class | also a | meaning, and what to do |", "|---|---|---|")
    for name, kind in sorted(kinds.items()):
        also = ", ".join(f"`{each}`" for each in _also_a(kind))
        told = re.split(r"^:\w+ ", inspect.getdoc(kind) or "", maxsplit=1, flags=re.M)[0]
        yield f"| `{name}` | {also} | {_cell(_prose(told))}{_pages(name)} |"


def _also_a(kind: type) -> list[str]:
    """The nearest base in safekv, and the nearest ones outside of it."""
    found: list[str] = []
    covered: set[type] = set()
    for base in kind.__mro__[1:]:
        inside = base.__module__.startswith("safekv.")
        if base is object or base in covered or (inside and base.__name__ == "SafeKVError"):
            continue
        if base.__name__.startswith("_") or (base in (Exception, BaseException) and found):
            continue
        found.append("SafeKVError" if base is Exception and kind is not safekv.errors.SafeKVError else base.__name__)
        covered |= set(base.__mro__)
    return found


def _pages(name: str) -> str:
    found = [topic for topic in TOPICS.values() if topic.kind == name]
    links = ", ".join(f"[{topic.slug}](../troubleshooting/{topic.slug}.md)" for topic in found)
    return f"<br>→ {links}" if found else ""


def _attributes() -> Iterator[str]:
    yield from ("| attribute | |", "|---|---|")
    doc = inspect.getdoc(safekv.errors.SafeKVError) or ""
    for name, said in re.findall(r"^:param (\w+): (.+?)(?=^:param|\Z)", doc, re.M | re.S):
        yield f"| `{name}` | {_cell(_prose(said))} |"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
