"""Values and tokens are in no log, no warning, no repr, no traceback and no pickle, whatever fails."""

from __future__ import annotations

import contextlib
import logging
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.policies import NetworkTraceLoggingPolicy
from azure.core.rest import HttpRequest
from colours import Colour
from doubles import TOKEN, InfoCredential

from safekv.errors._catalogue import ROWS
from safekv.testing import LocalKeyVault

VALUE, NEW = "a-planted-value", "another-planted-value"
NETWORK = ["dns", "refused", "bad-certificate", "reset-before", "reset-after", "truncated", "black-hole"]
FAULTS: list[dict[str, Any]] = [
    *({"error": row.id} for row in ROWS),
    *({"network": network} for network in NETWORK),
    *({"status": status} for status in (200, 400, 403, 429, 500, 503)),
    *({"html": True, "status": status} for status in (200, 403, 503)),
    {"status": 200, "body": f'{{"value": "{VALUE}"'},
    {"status": 200, "body": f'["{VALUE}"]'},
    {"status": 204},
]


class Everything(logging.Handler):
    """All that any logger says, with tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Every word of every logger, at DEBUG."""
    handler, root = Everything(), logging.getLogger()
    names = ["azure", "safekv", "asyncio"]
    before = {name: logging.getLogger(name).level for name in (None, *names)}
    root.addHandler(handler)
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield handler.said
    root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def calls(colour: Colour, client: Any) -> list[Callable[[], Any]]:
    raw = HttpRequest("PUT", "/secrets/raw", json={"value": NEW})
    return [
        lambda: colour.run(client.get_secret("greeting")),
        lambda: colour.run(client.set_secret("greeting", NEW)),
        lambda: colour.run(client.update_secret_properties("greeting", content_type="text/plain")),
        lambda: colour.items(client.list_properties_of_secrets()),
        lambda: colour.run(client.backup_secret("greeting")),
        lambda: colour.run(client.send_request(raw)),
        lambda: colour.delete(client, "nothing"),
    ]


def texts(error: BaseException) -> Iterator[str]:
    """What can be seen of an error, and of those that it leads to."""
    yield "".join(traceback.format_exception(error))
    yield pickle.dumps(error).decode("latin-1")
    for each in (error, error.__cause__, error.__context__):
        if each is not None:
            yield repr(each) + repr(vars(each))


def failure(call: Callable[[], Any]) -> BaseException | None:
    try:
        call()
    except Exception as error:
        return error
    return None


@pytest.mark.filterwarnings("default")
def test_nothing_gets_out(colour: Colour, said: list[str]) -> None:
    seen: list[str] = []
    failed = 0
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for number, fault in enumerate(FAULTS):
            local = LocalKeyVault(seed=number)
            local.set_secret("greeting", VALUE)
            credential = InfoCredential()
            client = colour.client(local, credential=credential, logging_enable=True, retry_total=1, read_timeout=2)
            local.fail(**fault, count=None)
            for call in calls(colour, client):
                found = failure(call)
                failed += found is not None
                seen += texts(found) if found else ()
            credential.fails, credential.error = 1, lambda: ClientAuthenticationError("no token today")
            with contextlib.suppress(Exception):
                call()
            seen.append(repr(client))
    assert failed > 3 * len(FAULTS)
    assert any("Request method: 'PUT'" in each for each in said)
    everything = "\n".join([*seen, *said, *(str(each.message) for each in warned)])
    for secret in (VALUE, NEW, TOKEN):
        assert secret not in everything


def test_the_trace_says_what_it_leaves_out(colour: Colour, local: LocalKeyVault, said: list[str]) -> None:
    client = colour.client(local)
    colour.run(client.set_secret("greeting", NEW, logging_enable=True))
    colour.run(client.get_secret("greeting", logging_enable=True))
    assert any("'Authorization': 'REDACTED'" in each for each in said)
    assert any("a body of" in each and "not shown" in each for each in said)
    assert any("'x-ms-keyvault-region'" in each for each in said)
    said.clear()
    colour.run(client.get_secret("greeting"))
    assert not any("not shown" in each for each in said)


@pytest.mark.shows_secrets
def test_who_asks_for_everything_gets_it(colour: Colour, local: LocalKeyVault, said: list[str]) -> None:
    local.set_secret("greeting", VALUE)
    policy = NetworkTraceLoggingPolicy(logging_enable=True)
    client = colour.client(local, credential=InfoCredential(), logging_policy=policy)
    colour.run(client.get_secret("greeting"))
    assert any(VALUE in each for each in said)
