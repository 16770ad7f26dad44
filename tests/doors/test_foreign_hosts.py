"""Nothing goes to a host that is not the client's vault, whoever sends it there."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest
from colours import Colour

import safekv.errors as errors
from safekv.testing import LocalKeyVault

ELSEWHERE = "https://sub.evil.example"


@pytest.fixture
def sent(colour: Colour, local: LocalKeyVault) -> list[str]:
    return []


def redirecting(colour: Colour, local: LocalKeyVault, sent: list[str]) -> Any:
    """A transport behind which a proxy redirects what has a token, and notes where requests go."""
    transport = local.transport(colour.name)
    send = transport.send

    def note(request: Any) -> bool:
        sent.append(request.url)
        return "Authorization" in request.headers

    def redirect(response: Any) -> Any:
        response.status_code = 307
        response.headers["Location"] = f"{ELSEWHERE}/secrets/greeting"
        return response

    def sync_send(request: Any, **options: Any) -> Any:
        authorized = note(request)
        response = send(request, **options)
        return redirect(response) if authorized else response

    async def aio_send(request: Any, **options: Any) -> Any:
        authorized = note(request)
        response = await send(request, **options)
        return redirect(response) if authorized else response

    transport.send = aio_send if colour.name == "aio" else sync_send
    return transport


def test_a_redirection_is_not_followed_with_a_value_in_hand(
    colour: Colour, local: LocalKeyVault, sent: list[str]
) -> None:
    client = colour.client_class(local.url(), local.credential(), transport=redirecting(colour, local, sent))
    with pytest.raises(errors.InsecureConnection, match=r"sub\.evil\.example") as caught:
        colour.run(client.set_secret("greeting", "hello"))
    assert isinstance(caught.value, ServiceRequestError)
    assert "proxy" in caught.value.hint
    assert all(url.startswith(local.url()) for url in sent)


def test_a_link_to_a_next_page_elsewhere(colour: Colour, local: LocalKeyVault) -> None:
    body = {"value": [], "nextLink": f"{ELSEWHERE}/secrets?api-version=7.4&$skiptoken=x"}
    local.fail(operation="list_properties_of_secrets", status=200, body=body)
    client = colour.client(local)
    with pytest.raises(errors.InsecureConnection, match=r"sub\.evil\.example"):
        colour.items(client.list_properties_of_secrets())


def test_what_a_link_has_before_its_host_is_not_repeated(colour: Colour, local: LocalKeyVault) -> None:
    body = {"value": [], "nextLink": "https://who:secret@sub.evil.example/secrets?api-version=7.4"}
    local.fail(operation="list_properties_of_secrets", status=200, body=body)
    client = colour.client(local)
    with pytest.raises(errors.InsecureConnection) as caught:
        colour.items(client.list_properties_of_secrets())
    assert "secret@" not in str(caught.value)


def test_a_request_of_the_users_own(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    request = HttpRequest("GET", f"{ELSEWHERE}/secrets/greeting")
    with pytest.raises(errors.InsecureConnection, match=r"sub\.evil\.example"):
        colour.run(client.send_request(request))
