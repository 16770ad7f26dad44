"""From what somebody pastes (a code, a message, a body, a traceback) to the topics that explain it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from safekv.errors._briefly import WORDS
from safekv.errors._hints import advice, completed, fill
from safekv.errors._meanings import CODES, TEXTS, Meaning, general
from safekv.errors._permissions import NEEDS
from safekv.errors._reading import facts_in
from safekv.errors._topics import TOPICS

#: Characters that are looked at: the end of what was pasted, where a traceback has its error.
MOST = 200_000
_AROUND = 3_000

_OTHER = tuple(
    (re.compile(pattern, re.M), slug)
    for pattern, slug in (
        (r"resource '?[\w.]+'? does not match the requested domain", "challenge-mismatch"),
        (r"unexpected keyword argument '(tenant_id|claims|enable_cae)'", "credential-too-old"),
        (r"not configured to acquire tokens for tenant", "wrong-tenant"),
        (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", "untrusted-certificate"),
        (r"Failed to resolve '|Name or service not known|getaddrinfo failed|nodename nor servname", "vault-not-found"),
        (r"not permitted for non-TLS protected", "insecure"),
        (
            r"Connection refused|Network is unreachable|Connect call failed|connection_timeout|ConnectTimeout",
            "cannot-connect",
        ),
        (r"Read timed out|Timeout on reading data", "no-answer"),
        (r"RemoteDisconnected|Connection reset by peer|Connection aborted|Server disconnected", "connection-lost"),
        (r"IncompleteRead|payload is not completed", "incomplete-answer"),
        (r"JSON is invalid|Expecting value: line|JSONDecodeError|Cannot deserialize content-type", "unreadable-answer"),
        (r"Event loop is closed", "event-loop-closed"),
        (r"'NoneType' object has no attribute 'token'", "token-lost"),
        (r"AADSTS\d+", "credential-failed"),
        (r"^  no permission: Assign the role ", "missing-role"),  # a LoadError's advice
        (r"CredentialUnavailableError|failed to retrieve a token from the included", "credential-unavailable"),
    )
)
_STATUS = re.compile(r"(?:^|HTTP(?:/[\d.]+)?[ :]+|[sS]tatus(?:[ _][cC]ode)?['\"]?[ :=]+|(?<!\bline)\s)([45]\d\d)\b")
_CODE = re.compile(r"\b[A-Z][A-Za-z]{5,60}\b")
_HOST = re.compile(r"\b([0-9A-Za-z-]{1,127}\.(?:vault|managedhsm)\.[a-z.]{5,40}[a-z])\b")
_FRAME = re.compile(r"\bin (\w+)$", re.M)
_OWN = re.compile(r"\[(\w+) on ([\w.:-]+)")
_REASONS = {
    "Throttled": TOPICS["throttled"],
    "TooManyRequests": TOPICS["throttled"],
    "Unauthorized": TOPICS["authentication"],
    "Forbidden": TOPICS["access-denied"],
}
#: What says least: a text that says more is not explained by these as well.
_BY_STATUS = frozenset(general(status).topic.slug for status in (400, 401, 403, 409, 500))
_LOOSE = tuple((re.compile(pattern.pattern.replace("^", "")), meaning) for _, pattern, meaning in TEXTS)
_BY_CODE = {code: meaning for (_, code), meaning in CODES.items()}
_BY_KIND = {topic.kind: Meaning(topic.kind, topic) for topic in reversed(TOPICS.values())}
_MEANT = {
    "SecretNotFound": Meaning("SecretNotFound", TOPICS["not-found"]),
    "AuthenticationFailed": Meaning("AuthenticationFailed", TOPICS["authentication"]),
}
#: What a LoadError says of a setting, or of a vault.
_BRIEF = tuple(
    (re.compile(rf"^  .*: {words}(?: \(|$)", re.M), _MEANT.get(kind) or _BY_KIND[kind])
    for kind, words in WORDS.items()
    if not kind.endswith("Error")  # the SDK's, whose words are ours, too
)


class Explanation(NamedTuple):
    """What a topic says, filled in with what the text told."""

    slug: str
    kind: str
    title: str
    meaning: str
    hint: str
    remedies: tuple[str, ...]
    guide_url: str
    transient: bool
    facts: dict[str, str]


def explain(text: str) -> list[Explanation]:
    """What the text may mean, the likeliest first; empty if nothing in it is known."""
    text = text[-MOST:].replace("\\r", "").replace("\\n", "\n").replace("\r", "")
    found: dict[str, Explanation] = {}
    for meaning, place in _matches(text):
        if meaning.kind not in {each.kind for each in found.values()}:
            found[meaning.topic.slug] = _explanation(meaning, text, place)
    telling = [each for each in found.values() if each.slug not in _BY_STATUS]
    return telling or list(found.values())


def _matches(text: str) -> Iterator[tuple[Meaning, int]]:
    """From the most telling to the least; of equals the last, which is the one that ended the program."""
    yield from _last_first(_LOOSE, text)
    yield from _last_first(tuple((pattern, Meaning(TOPICS[slug].kind, TOPICS[slug])) for pattern, slug in _OTHER), text)
    yield from _last_first(_BRIEF, text)
    words = [(match[0], match.start()) for match in _CODE.finditer(text)][::-1]
    for table in (_BY_CODE, _BY_KIND, {word: Meaning(topic.kind, topic) for word, topic in _REASONS.items()}):
        yield from ((table[word], place) for word, place in words if word in table)
    for slug, topic in TOPICS.items():
        if text.strip() == slug:
            yield Meaning(topic.kind, topic), 0
    for match in reversed(list(_STATUS.finditer(text))):
        yield general(int(match[1])), match.start()


def _last_first(rules: tuple[tuple[re.Pattern[str], Meaning], ...], text: str) -> list[tuple[Meaning, int]]:
    found = []
    for pattern, meaning in rules:
        matches = list(pattern.finditer(text))
        if matches:
            found.append((-matches[-1].end(), matches[-1].start(), meaning))
    # "Deleted Secret not found" is also "Secret not found": where they end together, the longer one says more.
    return [(meaning, start) for _, start, meaning in sorted(found, key=lambda each: each[:2])]


def _explanation(meaning: Meaning, text: str, place: int) -> Explanation:
    topic = meaning.topic
    facts = {**_surroundings(text), **facts_in(text[max(0, place - _AROUND) : place + _AROUND])}
    hint, remedies = advice(topic, facts)
    shown = fill(topic.meaning, completed(facts))
    facts.pop("credential_message", None)
    return Explanation(
        topic.slug, meaning.kind, topic.title, shown, hint, remedies, topic.guide, topic.transient, facts
    )


def _surroundings(text: str) -> dict[str, str]:
    """The vault and the operation, from a traceback or from a text of safekv's own."""
    facts = {}
    hosts = _HOST.findall(text)
    if hosts:
        facts["host"] = hosts[-1]
    operations = [name for name in _FRAME.findall(text) if name in NEEDS]
    if operations:
        facts["operation"] = operations[-1]
    own = _OWN.findall(text)
    if own:
        facts["operation"], facts["host"] = own[-1]
    codes = re.findall(r"AADSTS\d+", text)
    if codes:
        facts["credential_message"] = codes[-1]
    return facts
