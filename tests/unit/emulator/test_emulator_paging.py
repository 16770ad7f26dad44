"""Lists in pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from emulator_wire import Wire
from hypothesis import given
from hypothesis import strategies as some


def pages(wire: Wire, path: str, size: int | None = None) -> list[list[dict[str, Any]]]:
    """Every page of a list, by its links."""
    found = []
    query = {} if size is None else {"maxresults": str(size)}
    while True:
        answer = wire.get(path, **query)
        assert answer.status == 200
        found.append(answer.json["value"])
        link = answer.json["nextLink"]
        if link is None:
            return found
        url = urlsplit(link)
        assert (url.scheme, url.netloc, url.path) == ("https", "my.vault.azure.net", path)
        query = dict(parse_qsl(url.query))
        assert query.pop("api-version") == wire.api_version
        assert query.get("maxresults") == (None if size is None else str(size))
        assert set(query) <= {"$skiptoken", "maxresults"}


def filled(number: int) -> Wire:
    wire = Wire()
    for index in range(number):
        wire.vault.set_secret(f"s{index}", "hidden", tags={"n": str(index)})
    return wire


@given(number=some.integers(0, 60), size=some.none() | some.integers(1, 25))
def test_every_item_once_for_every_page_size(number: int, size: int | None) -> None:
    wire = filled(number)
    found = pages(wire, "/secrets", size)
    names = [item["id"].rsplit("/", 1)[1] for page in found for item in page]
    assert sorted(names) == sorted(f"s{index}" for index in range(number))
    assert all(len(page) == (size or 25) for page in found[:-1])
    assert all("value" not in item for page in found for item in page)


@given(number=some.integers(1, 40), size=some.integers(1, 25))
def test_every_version_once_for_every_page_size(number: int, size: int) -> None:
    wire = Wire()
    identifiers = {wire.vault.set_secret("name", str(index)) for index in range(number)}
    found = [item for page in pages(wire, "/secrets/name/versions", size) for item in page]
    assert len(found) == number
    assert {item["id"] for item in found} == identifiers
    assert all("value" not in item for item in found)


def test_deleted_ones_are_listed_apart() -> None:
    wire = filled(30)
    for index in range(0, 30, 2):
        wire.bin(f"s{index}")
    live = {item["id"].rsplit("/", 1)[1] for page in pages(wire, "/secrets", 4) for item in page}
    deleted = {item["id"].rsplit("/", 1)[1] for page in pages(wire, "/deletedsecrets", 4) for item in page}
    assert live == {f"s{index}" for index in range(1, 30, 2)}
    assert deleted == {f"s{index}" for index in range(0, 30, 2)}


def test_a_list_that_changes_between_pages() -> None:
    wire = filled(30)
    link = urlsplit(wire.get("/secrets", maxresults="10").json["nextLink"])
    token = dict(parse_qsl(link.query))["$skiptoken"]
    wire.bin("s0")
    wire.bin("s5")
    wire.vault.set_secret("a-first", "v")
    rest = wire.get("/secrets", maxresults="25", **{"$skiptoken": token}).json["value"]
    # the first ten by name are s0, s1, s10 … s17
    assert sorted(item["id"].rsplit("/", 1)[1] for item in rest) == sorted(
        {f"s{index}" for index in range(30)} - {"s0", "s1", "s5"} - {f"s{index}" for index in range(10, 18)}
    )


@pytest.mark.parametrize("size", ["0", "26", "-1", "x", "", "1.0", "٣", "9" * 5000])
def test_bad_page_sizes(size: str) -> None:
    answer = filled(1).get("/secrets", maxresults=size)
    assert (answer.status, answer.code) == (400, "BadParameter")


@pytest.mark.parametrize("token", ["", "x", "!!", "é", "e30", "W10", "eyJOZXh0TWFya2VyIjoxfQ", "Ilgi"])
def test_bad_skip_tokens(token: str) -> None:
    wire = filled(1)
    for path in ("/secrets", "/deletedsecrets", "/secrets/s0/versions"):
        assert wire.get(path, **{"$skiptoken": token}).status == 400


def test_versions_of_an_unknown_name_are_an_empty_list() -> None:
    answer = Wire().get("/secrets/unknown/versions")
    assert (answer.status, answer.json) == (200, {"value": [], "nextLink": None})
