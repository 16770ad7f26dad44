"""What an error keeps of its answer is an ``azure.core.rest`` response of its colour, read and closed."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from colours import Colour

from safekv.connection.pipeline._answer import KeptAnswer, content_of
from safekv.testing import LocalKeyVault


@pytest.fixture
def answer(colour: Colour, local: LocalKeyVault) -> Any:
    """The 404 of a secret that is not there."""
    with pytest.raises(ResourceNotFoundError) as caught:
        colour.run(colour.client(local).get_secret("nothing"))
    return caught.value.response


def test_what_code_of_today_reads(colour: Colour, answer: Any) -> None:
    assert isinstance(answer, AsyncHttpResponse if colour.loop else HttpResponse)
    assert (answer.status_code, answer.reason) == (404, "Not Found")
    assert answer.headers["X-MS-Request-Id"] == answer.headers["x-ms-request-id"]
    assert answer.content_type.startswith("application/json")
    assert answer.json()["error"]["code"] == "SecretNotFound"
    assert answer.text() == answer.content.decode() == answer.body().decode()
    assert answer.url.startswith("https://local.vault.azure.net/secrets/nothing")
    assert answer.request.method == "GET"
    assert (answer.is_closed, answer.is_stream_consumed, answer.encoding) == (True, True, "utf-8")
    assert "404" in repr(answer)
    with pytest.raises(HttpResponseError, match="SecretNotFound"):
        answer.raise_for_status()


def test_it_can_be_read_and_closed_again(colour: Colour, answer: Any) -> None:
    async def in_a_loop() -> list[bytes]:
        async with answer:
            parts = [part async for part in answer.iter_raw()] + [part async for part in answer.iter_bytes()]
            parts.append(await answer.read())
        await answer.close()
        return parts

    def at_once() -> list[bytes]:
        with answer:
            parts = [*answer.iter_raw(), *answer.iter_bytes(), answer.read()]
        answer.close()
        return parts

    assert (colour.run(in_a_loop()) if colour.loop else at_once()) == [answer.content] * 3


class Older:
    """An answer of azure-core's older kind, from a transport of the user's own."""

    def body(self) -> bytes:
        return b"older"


class Unread:
    """An answer that cannot be read any more."""

    @property
    def content(self) -> bytes:
        raise RuntimeError("closed")


def test_the_content_of_any_answer() -> None:
    assert content_of(Older()) == b"older"
    assert content_of(Unread()) == b""
    assert content_of(object()) == b""


def test_a_token_in_an_answer_is_not_kept() -> None:
    class Echo(Older):
        content = b'{"header": "Bearer eyJ0eXAiOiJKV1Qi.eyJhIjoiYiJ9.c2ln"}'

    assert content_of(Echo()) == b'{"header": "Bearer (token, not shown)"}'


def test_a_request_is_kept_without_its_body(local: LocalKeyVault) -> None:
    class Bare:
        status_code, reason, headers = 400, "Bad Request", {"A": "b"}

    request = HttpRequest("PUT", "https://x", headers={"Authorization": "Bearer t"}, json={"value": "v"})
    kept = KeptAnswer(request, Bare(), b"")
    assert not kept.request.content
    assert "Authorization" not in kept.request.headers
