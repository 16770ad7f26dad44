"""From what the service answered to the error that says what to do. Sans I/O: both colours use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import safekv.errors
from safekv.errors._base import SafeKVError
from safekv.errors._hints import advice, completed
from safekv.errors._meanings import Meaning, meaning_of
from safekv.errors._reading import Said, facts_in, read_body, without_tokens
from safekv.errors._topic import Topic

_NOT_KEY_VAULT = "The answer is not in Key Vault's form: a proxy or a gateway on the way may have given it."
#: What an error says of a missing permission, whether the service names it or it follows from the operation.
_NEEDS = ("collection", "permission", "action", "role", "scope")
_ABOUT_PERMISSIONS = ("missing-policy", "missing-role", "missing-hsm-role", "key-operation")


@dataclass(frozen=True)
class Asked:
    """What was asked, and of whom.

    :ivar host: the vault's host name.
    :ivar operation: the SDK's name for it.
    :ivar facts: what the request's path tells: ``collection`` and ``name``.
    """

    host: str | None = None
    operation: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back. ``body`` may be anything."""

    status: int
    reason: str | None
    headers: Mapping[str, str]
    body: bytes


def error_of(answer: Answer, asked: Asked, *, retry_in: float | None = None) -> SafeKVError:
    """The error for an answer of 400 and up.

    :param retry_in: seconds that the answer asks to wait.
    """
    said = read_body(answer.body)
    meaning = meaning_of(answer.status, said.code, said.inner_code, said.message)
    facts = {**asked.facts, **facts_in(said.message or "", answer.headers)}
    message = _message(said, answer)
    remedies = () if said.code or said.message or not answer.body else (_NOT_KEY_VAULT,)
    return _made(
        meaning,
        message,
        asked,
        facts,
        remedies=remedies,
        code=said.code,
        inner_code=said.inner_code,
        request_id=_header(answer.headers, "x-ms-request-id"),
        retry_in=retry_in,
        status_code=answer.status,
    )


def error_about(
    meaning: Meaning, message: str, asked: Asked, facts: Mapping[str, str] | None = None, **fields: Any
) -> SafeKVError:
    """The error for a failure without an answer."""
    return _made(meaning, without_tokens(message), asked, {**asked.facts, **(facts or {})}, **fields)


def completes(error: SafeKVError, asked: Asked, topic: Topic | None) -> None:
    """Fill in what an error does not know yet: where, at what, and what its topic advises."""
    error.vault = error.vault or asked.host
    error.operation = error.operation or asked.operation
    if topic is not None:
        hint, remedies = advice(topic, _known(asked, {**asked.facts, **error.details}))
        error.hint = error.hint or hint
        error.remedies = error.remedies or remedies
        error.guide_url = error.guide_url or topic.guide


def _made(
    meaning: Meaning,
    message: str,
    asked: Asked,
    facts: Mapping[str, str],
    *,
    remedies: tuple[str, ...] = (),
    **fields: Any,
) -> SafeKVError:
    known = _known(asked, facts)
    hint, advised = advice(meaning.topic, known)
    kind: type[SafeKVError] = getattr(safekv.errors, meaning.kind)
    return kind(
        message,
        hint=hint,
        guide_url=meaning.topic.guide,
        remedies=(*remedies, *advised),
        vault=asked.host,
        operation=asked.operation,
        transient=meaning.topic.transient,
        details=_details(meaning.topic, facts, known),
        **fields,
    )


def _known(asked: Asked, facts: Mapping[str, str]) -> dict[str, str]:
    known = dict(facts)
    if asked.host:
        known.setdefault("host", asked.host)
    if asked.operation:
        known["operation"] = asked.operation
    return known


def _details(topic: Topic, facts: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    if topic.slug not in _ABOUT_PERMISSIONS:
        return dict(facts)
    needs = completed(known)
    named = {name: needs[name] for name in _NEEDS if name in needs and not needs[name].startswith("$")}
    return {**facts, **named}


def _message(said: Said, answer: Answer) -> str:
    """As the SDK's first line, with the inner code after it."""
    if not (said.code or said.message):
        return f"Operation returned an invalid status '{answer.reason or answer.status}'"
    inner = f" ({said.inner_code})" if said.inner_code else ""
    return f"({said.code}) {said.message}{inner}"


def _header(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return str(value)[:100] if value else None
