"""One look at one thing: how it went, what was seen, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from safekv.errors import SafeKVError
from safekv.errors._diagnosis import Asked
from safekv.errors._hints import advice, completed, fill
from safekv.errors._topics import TOPICS

State = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Check:
    """``said`` is one line; ``advice`` and ``remedies`` say what to do, and ``guide_url`` where more is told."""

    name: str
    state: State
    said: str
    advice: str | None = None
    remedies: tuple[str, ...] = ()
    guide_url: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def ok(name: str, said: str, **facts: Any) -> Check:
    return Check(name, "ok", said, facts=facts)


def skipped(name: str, why: str) -> Check:
    return Check(name, "skipped", why)


def about(name: str, state: State, said: str, slug: str, **facts: Any) -> Check:
    """A check whose advice is that of a topic."""
    topic = TOPICS[slug]
    texts = {key: str(value) for key, value in facts.items() if value is not None}
    hint, remedies = advice(topic, texts)
    return Check(name, state, said or fill(topic.meaning, completed(texts)), hint, remedies, topic.guide, facts)


def raised(name: str, error: Exception, asked: Asked | None = None) -> Check:
    """A check that ended in an error."""
    if isinstance(error, SafeKVError):
        said = f"{type(error).__name__}: {one_line(error.message.partition(chr(10))[0], 160)}"
        return Check(name, "failed", said, error.hint, error.remedies, error.guide_url, dict(error.details))
    return Check(name, "failed", f"{type(error).__name__}: {one_line(str(error))}")


def one_line(text: str, most: int = 300) -> str:
    """The text on one line, shortened."""
    flat = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return flat if len(flat) <= most else flat[: most - 3] + "..."
