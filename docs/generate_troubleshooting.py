"""Write ``docs/troubleshooting/``: a page for each thing that goes wrong, from the tables of ``safekv.errors``.

    python docs/generate_troubleshooting.py

The pages are committed; a test compares them with what this writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import safekv.errors
from safekv.errors._catalogue import ROWS
from safekv.errors._hints import completed, fill
from safekv.errors._questions import QUESTIONS, Question
from safekv.errors._topic import Topic
from safekv.errors._topics import TOPICS

_DOCS = Path(__file__).parent
FOLDER = _DOCS / "troubleshooting"
_GROUPS = {
    "Who you are (401)": ("AuthenticationFailed",),
    "What you may (403)": ("AccessDenied", "SecretDisabled", "KeyDisabled"),
    "What is there (404, 409)": ("NotFound", "Conflict"),
    "What was sent (400)": ("InvalidRequest",),
    "The vault (429, 5xx)": ("VaultThrottled", "VaultUnavailable", "AmbiguousWrite", "DeadlineExceeded"),
    "The way there": ("ConnectionFailed", "UnreadableAnswer", "EventLoopClosed"),
}
#: What stands in a page for what an error knows.
_EXAMPLES = {
    **{
        name: text
        for name, text in completed({}).items()
        if name in ("connection", "deny", "dns_zone", "identity_hint")
    },
    "who": "the caller",
}


def pages() -> dict[str, str]:
    """Every page, by its file's name."""
    topics = {f"{topic.slug}.md": _topic_page(topic) for topic in TOPICS.values()}
    questions = {f"{question.slug}.md": _question_page(question) for question in QUESTIONS}
    return {"README.md": _index(), **topics, **questions}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.md"):
        path.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")


def _index() -> str:
    lines = [
        "# Troubleshooting",
        "",
        "One page for each thing that goes wrong: what it means, what to do, and how code sees it. `safekv explain` "
        "prints the page that belongs to an error, a code or a traceback:",
        "",
        "```console",
        "$ safekv explain ForbiddenByRbac",
        "$ python application.py 2>&1 | safekv explain -",
        "```",
    ]
    for title, kinds in _GROUPS.items():
        bases = tuple(getattr(safekv.errors, kind) for kind in kinds)
        members = [topic for topic in TOPICS.values() if issubclass(getattr(safekv.errors, topic.kind), bases)]
        lines += ["", f"## {title}", "", *(f"- [{each.title}]({each.slug}.md): `{each.kind}`" for each in members)]
    lines += ["", "## Questions", "", *(f"- [{each.title}]({each.slug}.md)" for each in QUESTIONS)]
    return _text(lines)


def _topic_page(topic: Topic) -> str:
    lines = [
        f"# {topic.title}",
        "",
        _shown(topic.meaning),
        "",
        "## What to do",
        "",
        _shown(topic.hint),
        *_steps(topic.remedies),
    ]
    said = [row for row in ROWS if row.topic is topic and row.message]
    if said:
        lines += ["", "## What the service says"]
        for row in said:
            codes = " ".join(f"`{code}`" for code in (row.code, row.inner_code) if code)
            lines += ["", f"HTTP {row.status} {codes}", "", "```text", *(row.message or "").strip().splitlines(), "```"]
    lines += ["", "## In code", "", *_in_code(topic), *_see(topic.see), "", f"Microsoft's guide: <{topic.guide}>"]
    return _text(lines)


def _question_page(question: Question) -> str:
    lines = [f"# {question.title}", "", question.answer, *_steps(question.remedies)]
    linked = [f"- [{TOPICS[slug].title}]({slug}.md)" for slug in question.topics]
    return _text([*lines, *_see(question.see, linked), "", f"Microsoft's guide: <{question.guide}>"])


def _see(pages: Iterable[str], before: Iterable[str] = ()) -> list[str]:
    """Links to other pages, each by its title."""
    links = [*before]
    for page in pages:
        title = (_DOCS / page).read_text("utf-8").partition("\n")[0].removeprefix("# ")
        links.append(f"- [{title}](../{page})")
    return ["", "See also:", "", *links] if links else []


def _in_code(topic: Topic) -> list[str]:
    kind = getattr(safekv.errors, topic.kind)
    outside = [each for each in kind.__mro__ if each.__module__ not in ("safekv.errors", "safekv.errors._service")]
    first = next(each for each in outside if each.__module__.startswith("azure") or each is not Exception)
    return [
        f"- raised as `safekv.errors.{topic.kind}`, which `except {first.__name__}` catches as well",
        f"- {'may pass by itself (`transient`)' if topic.transient else 'does not pass by itself'}",
        f"- {'a value read before may stand in' if topic.stale else 'a value read before does not stand in'}",
        f"- {'nothing was carried out' if topic.repeat else 'whether it was carried out is unknown'}",
    ]


def _steps(remedies: Iterable[str]) -> list[str]:
    shown = [_shown(remedy) for remedy in remedies]
    commands = [f"$ {each}" for each in shown if each.startswith("az ")]
    words = [f"- {each}" for each in shown if not each.startswith("az ")]
    block = ["", "```console", *commands, "```"] if commands else []
    return [*block, *([""] if words else []), *words]


def _shown(text: str) -> str:
    """With ``<name>`` where an error would say it."""
    filled = fill(text, _EXAMPLES)
    return filled if text.startswith("az ") else filled.replace("<", "`<").replace(">", ">`").replace("``", "`")


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
