"""Writes that may or may not have been done: never lost, never done twice, and said so where it cannot be known."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest
from colours import Colour
from doubles import sent, watched
from urllib3.exceptions import NewConnectionError

from safekv.errors import AmbiguousWrite
from safekv.testing import LocalKeyVault

FAULTS = [408, 500, 502, 503, 504]
DONE = "reset-after"  # the vault carried it out, and the answer was lost
NOT_DONE = "reset-before"


@pytest.fixture
def local(local: LocalKeyVault) -> LocalKeyVault:
    """A vault in which nobody has written within the last seconds."""
    local.advance(seconds=60)
    return local


def count_versions(colour: Colour, client: Any, name: str = "greeting") -> int:
    return len(colour.items(client.list_properties_of_secret_versions(name)))


def methods(local: LocalKeyVault) -> list[str]:
    return [entry.method for entry in sent(local)]


# set_secret reads back before it repeats


@pytest.mark.parametrize("fault", [NOT_DONE, DONE, "black-hole", "truncated", *FAULTS])
def test_a_secret_is_stored_once_whatever_became_of_the_answer(
    colour: Colour, local: LocalKeyVault, fault: Any
) -> None:
    """The SDK repeats a PUT after a reset, and so stores a second version."""
    client = colour.client(local)
    kind = {"status": fault} if isinstance(fault, int) else {"network": fault}
    local.fail(operation="set_secret", **kind)
    stored = colour.run(client.set_secret("greeting", "again", tags={"a": "b"}, read_timeout=2))
    assert stored.value == "again"
    assert stored.properties.tags == {"a": "b"}
    assert count_versions(colour, client) == 2
    assert methods(local)[:2] == ["PUT", "GET"]
    done = fault in (DONE, "truncated")
    assert methods(local).count("PUT") == (1 if done else 2)


def test_the_first_secret_of_its_name(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    for fault in (NOT_DONE, DONE):
        local.fail(operation="set_secret", network=fault)
        assert colour.run(client.set_secret(f"new-{fault}", "value")).value == "value"
        assert count_versions(colour, client, f"new-{fault}") == 1


def test_the_same_value_as_before_is_not_taken_for_ours(colour: Colour, local: LocalKeyVault) -> None:
    """What was stored before the call began is no proof that the call was carried out."""
    client = colour.client(local)
    local.fail(operation="set_secret", network=NOT_DONE)
    colour.run(client.set_secret("greeting", "hello"))
    assert count_versions(colour, client) == 2


def test_within_the_same_seconds_it_cannot_be_told(colour: Colour, local: LocalKeyVault) -> None:
    """Creation times are in whole seconds: a version that may be younger than the call is not overwritten."""
    client = colour.client(local)
    local.set_secret("greeting", "somebody else's")
    local.fail(operation="set_secret", network=NOT_DONE)
    with pytest.raises(AmbiguousWrite):
        colour.run(client.set_secret("greeting", "mine"))


def test_times_are_the_vaults(colour: Colour, local: LocalKeyVault) -> None:
    """An hour's difference between this machine's clock and the vault's changes nothing."""
    client = colour.client(local)
    colour.run(client.get_secret("greeting"))
    local.advance(seconds=3_600)
    local.fail(operation="set_secret", network=DONE)
    colour.run(client.set_secret("greeting", "again"))
    assert count_versions(colour, client) == 2


def test_somebody_elses_version_is_not_overwritten(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    local.fail(operation="set_secret", network=NOT_DONE)
    transport = local.transport(colour.name)
    sleep = transport.sleep

    def meanwhile(seconds: float) -> Any:
        local.set_secret("greeting", "somebody else's")
        return sleep(seconds)

    transport.sleep = meanwhile
    with pytest.raises(AmbiguousWrite, match="may or may not") as caught:
        colour.run(client.set_secret("greeting", "mine"))
    assert "mine" not in str(caught.value)
    assert "somebody" not in str(caught.value)
    transport.sleep = sleep
    assert colour.run(client.get_secret("greeting")).value == "somebody else's"


def test_who_may_not_read_is_told(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="set_secret", network=DONE)
    local.fail(operation="get_secret", error="403_rbac")
    with pytest.raises(AmbiguousWrite, match="HTTP 403 when it was read back") as caught:
        colour.run(colour.client(local).set_secret("greeting", "again"))
    assert methods(local) == ["PUT", "GET"]
    assert isinstance(caught.value, HttpResponseError)
    assert isinstance(caught.value, ServiceResponseError)
    assert pickle.loads(pickle.dumps(caught.value)).operation == "set_secret"


def test_a_vault_that_stays_down_leaves_it_unknown(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="set_secret", status=503, count=None)
    local.fail(operation="get_secret", status=503, count=None)
    with pytest.raises(AmbiguousWrite) as caught:
        colour.run(colour.client(local).set_secret("greeting", "again"))
    assert methods(local)[:2] == ["PUT", "GET"]
    assert methods(local).count("PUT") == 1
    assert isinstance(caught.value.__cause__, AzureError | None)
    assert caught.value.status_code == 503


def test_one_attempt_is_one_attempt(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="set_secret", status=503)
    with pytest.raises(AmbiguousWrite):
        colour.run(colour.client(local).set_secret("greeting", "again", retry_total=0))
    assert methods(local) == ["PUT"]


def test_throttled_while_reading_back(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    local.fail(operation="set_secret", network=DONE)
    local.fail(operation="get_secret", status=429, count=2)
    colour.run(client.set_secret("greeting", "again"))
    assert methods(local) == ["PUT", "GET", "GET", "GET"]
    assert count_versions(colour, client) == 2


def test_methods_that_the_caller_calls_safe_are_repeated_at_once(colour: Colour, local: LocalKeyVault) -> None:
    local.fail(operation="set_secret", network=NOT_DONE)
    colour.run(colour.client(local).set_secret("greeting", "again", retry_on_methods=["PUT"]))
    assert methods(local) == ["PUT", "PUT"]


def test_send_request_decides_for_itself(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    put = HttpRequest("PUT", "/secrets/greeting", json={"value": "again"})
    local.fail(operation="set_secret", status=503)
    assert colour.run(client.send_request(put)).status_code == 503
    local.fail(operation="set_secret", network=DONE)
    with pytest.raises((ServiceResponseError, ServiceRequestError)):
        colour.run(client.send_request(put))
    assert methods(local) == ["PUT", "PUT"]


def test_what_the_caller_was_handling_does_not_count(colour: Colour, local: LocalKeyVault) -> None:
    """An earlier error of the application's own is no reason to send a write twice."""
    for mine in (ConnectionRefusedError("the application's database"), NewConnectionError(None, "its cache")):  # type: ignore[arg-type]
        local.fail(operation="set_secret", network=DONE)
        client = colour.client(local)
        local.journal.clear()
        try:
            raise mine
        except Exception:
            colour.run(client.set_secret("greeting", "again"))
        assert methods(local) == ["PUT", "GET"]


# delete, recover, purge: repeated, and an answer that they come too late is looked into


@pytest.mark.parametrize("fault", [NOT_DONE, DONE, 503])
def test_deleting(colour: Colour, local: LocalKeyVault, fault: Any) -> None:
    client = colour.client(local)
    local.fail(operation="delete_secret", **({"status": fault} if fault == 503 else {"network": fault}))
    if colour.loop is None:
        poller = client.begin_delete_secret("greeting")
        poller.wait()
        deleted = poller.result()
    else:
        deleted = colour.run(client.delete_secret("greeting"))
    assert deleted.name == "greeting"
    assert deleted.deleted_date is not None
    assert colour.run(client.get_deleted_secret("greeting")).name == "greeting"


def test_deleting_what_was_never_there(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    local.fail(operation="delete_secret", network=NOT_DONE)
    with pytest.raises(ResourceNotFoundError):
        colour.delete(client, "nothing")


def test_deleting_what_was_deleted_long_ago(colour: Colour, local: LocalKeyVault) -> None:
    client = colour.client(local)
    colour.delete(client, "greeting")
    local.advance(seconds=600)
    local.fail(operation="delete_secret", network=NOT_DONE)
    with pytest.raises(ResourceNotFoundError):
        colour.delete(client, "greeting")


@pytest.mark.parametrize("fault", [NOT_DONE, DONE])
def test_recovering(colour: Colour, local: LocalKeyVault, fault: str) -> None:
    client = colour.client(local)
    colour.delete(client, "greeting")
    local.fail(operation="recover_deleted_secret", network=fault)
    if colour.loop is None:
        client.begin_recover_deleted_secret("greeting").wait()
    else:
        colour.run(client.recover_deleted_secret("greeting"))
    assert colour.run(client.get_secret("greeting")).value == "hello"


@pytest.mark.parametrize("fault", [NOT_DONE, DONE])
def test_purging(colour: Colour, local: LocalKeyVault, fault: str) -> None:
    client = colour.client(local)
    colour.delete(client, "greeting")
    local.fail(operation="purge_deleted_secret", network=fault)
    colour.run(client.purge_deleted_secret("greeting"))
    with pytest.raises(ResourceNotFoundError):
        colour.run(client.get_deleted_secret("greeting"))


@pytest.mark.parametrize("fault", [NOT_DONE, DONE])
def test_restoring(colour: Colour, local: LocalKeyVault, fault: str) -> None:
    """A backup does not tell its name: whether a conflict is our own first attempt cannot be known."""
    client = colour.client(local)
    backup = colour.run(client.backup_secret("greeting"))
    colour.delete(client, "greeting")
    colour.run(client.purge_deleted_secret("greeting"))
    local.advance(seconds=60)
    local.fail(operation="restore_secret_backup", network=fault)
    if fault == NOT_DONE:
        assert colour.run(client.restore_secret_backup(backup)).name == "greeting"
        return
    with pytest.raises(AmbiguousWrite, match="HTTP 409 when it was repeated"):
        colour.run(client.restore_secret_backup(backup))


# Never repeated


@pytest.mark.parametrize(
    "path", ["/keys/a/create", "/keys/a/rotate", "/certificates/a/create", "/certificates/a/pending/merge"]
)
def test_what_makes_a_new_one_each_time_is_never_repeated(colour: Colour, local: LocalKeyVault, path: str) -> None:
    """The SDK repeats these POSTs on 500, 503 and 504. Here without a door of their own: as raw pipeline calls."""
    client = colour.client(local, transport=watched(colour, local))
    pipeline = client._client._client._pipeline
    for fault in ({"status": 503}, {"network": DONE}):
        local.journal.clear()
        local.fail(path=path, method="POST", **fault)
        request = HttpRequest("POST", f"{local.url()}{path}?api-version=7.5", json={})
        with pytest.raises(AmbiguousWrite, match="may or may not have been carried out"):
            colour.run(pipeline.run(request))
        assert len([entry for entry in local.journal if entry.method == "POST" and entry.bearer]) <= 1
