"""Waiting for deletions and recoveries: it ends, and takes nothing for an end that is none."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.certificates import CertificatePolicy
from colours import Colour
from key_doors import Doors, outcome

from safekv.emulator import EmulatorSettings
from safekv.errors import BlockedByFirewall, DeadlineExceeded, PublicAccessDisabled, VaultUnavailable
from safekv.testing import LocalKeyVault


class Objects:
    """Keys, certificates or secrets named ``it``, deleted and recovered."""

    def __init__(self, doors: Doors, kind: str) -> None:
        self.doors, self.kind = doors, kind
        if kind == "secret":
            self.client = doors.colour.client(doors.local)
            doors.run(self.client.set_secret("it", "value"))
            return
        self.client = doors.keys() if kind == "key" else doors.certificates()
        if kind == "key":
            doors.run(self.client.create_ec_key("it"))
        else:
            policy = CertificatePolicy("Self", subject="CN=it", key_type="EC", key_curve_name="P-256")  # type: ignore[arg-type]
            doors.wait(self.client, "create_certificate", "it", policy)

    def delete(self, **options: Any) -> Any:
        return self.doors.wait(self.client, f"delete_{self.kind}", "it", **options)

    def recover(self, **options: Any) -> Any:
        return self.doors.wait(self.client, f"recover_deleted_{self.kind}", "it", **options)

    def deleted(self) -> Any:
        return self.doors.run(getattr(self.client, f"get_deleted_{self.kind}")("it"))

    def get(self) -> Any:
        return self.doors.run(getattr(self.client, f"get_{self.kind}")("it"))


def local_with(**delays: float) -> LocalKeyVault:
    return LocalKeyVault(settings=EmulatorSettings(**delays))  # type: ignore[arg-type]


@pytest.fixture(params=["key", "certificate", "secret"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_it_is_done_when_the_wait_is_over(colour: Colour, kind: str) -> None:
    local = local_with(delete_delay=11.0, recover_delay=7.0)
    objects = Objects(Doors(colour, local), kind)
    began = local.emulator.clock.time()
    assert objects.delete().name == "it"
    assert objects.deleted().name == "it"
    assert 11 <= local.emulator.clock.time() - began <= 14
    assert objects.recover().name == "it"
    assert objects.get().name == "it"


@pytest.mark.parametrize("step", ["delete", "recover"])
@pytest.mark.parametrize(
    ("error", "raised"), [("403_firewall", BlockedByFirewall), ("403_private", PublicAccessDisabled)]
)
def test_a_firewall_is_no_end(colour: Colour, kind: str, step: str, error: str, raised: type[Exception]) -> None:
    """The SDK takes any 403 for the end: whoever may not read sees 404 until it is done, then 403."""
    local = local_with(delete_delay=30.0, recover_delay=30.0)
    objects = Objects(Doors(colour, local), kind)
    if step == "recover":
        objects.delete()
    looks = f"get_deleted_{kind}" if step == "delete" else f"get_{kind}"
    local.fail(operation=looks, error=error, nth=2)
    with pytest.raises(raised):
        getattr(objects, step)()


def test_no_permission_to_look_is_an_end(colour: Colour, kind: str) -> None:
    local = local_with(delete_delay=6.0)
    objects = Objects(Doors(colour, local), kind)
    local.fail(operation=f"get_deleted_{kind}", error="403_rbac", nth=3)
    assert objects.delete().name == "it"


@pytest.mark.parametrize("step", ["delete", "recover"])
def test_it_ends_at_its_timeout(colour: Colour, kind: str, step: str) -> None:
    local = local_with(**{f"{step}_delay": 10_000.0})
    objects = Objects(Doors(colour, local), kind)
    if step == "recover":
        objects.delete()
    began = local.emulator.clock.time()
    with pytest.raises(DeadlineExceeded, match="still under way when its timeout of 20 s was over") as caught:
        getattr(objects, step)(timeout=20)
    assert local.emulator.clock.time() - began <= 20
    assert caught.value.transient
    assert caught.value.vault == "local.vault.azure.net"


def test_there_is_a_timeout_in_any_case(colour: Colour) -> None:
    local = local_with(delete_delay=10_000.0)
    doors = Doors(colour, local)
    doors.run(doors.keys().create_ec_key("it"))
    began = local.emulator.clock.time()
    with pytest.raises(DeadlineExceeded):
        doors.wait(doors.keys(), "delete_key", "it")
    assert 290 <= local.emulator.clock.time() - began <= 300
    doors.run(doors.keys(wait_timeout=50).create_ec_key("other"))
    with pytest.raises(DeadlineExceeded):
        doors.wait(doors.keys(wait_timeout=50), "delete_key", "other")
    assert local.emulator.clock.time() - began <= 360


def test_what_passes_does_not_end_it(colour: Colour, kind: str) -> None:
    local = local_with(delete_delay=90.0)
    objects = Objects(Doors(colour, local), kind)
    local.fail(operation=f"get_deleted_{kind}", status=503, nth=2, count=4)
    assert objects.delete(timeout=200).name == "it"
    assert objects.deleted().name == "it"


def test_what_does_not_pass_in_time_is_told(colour: Colour, kind: str) -> None:
    local = local_with(delete_delay=5.0)
    objects = Objects(Doors(colour, local), kind)
    local.fail(operation=f"get_deleted_{kind}", status=503, count=None)
    error = outcome(lambda: objects.delete(timeout=60))
    assert isinstance(error, DeadlineExceeded)
    assert isinstance(error.__cause__, VaultUnavailable)


def test_another_failure_is_raised(colour: Colour, kind: str) -> None:
    local = local_with(delete_delay=5.0)
    objects = Objects(Doors(colour, local), kind)
    local.fail(operation=f"get_deleted_{kind}", status=400)
    error = outcome(objects.delete)
    assert isinstance(error, HttpResponseError)
    assert error.status_code == 400


def test_the_result_of_a_poller_does_not_wait() -> None:
    """As the SDK has it."""
    local = local_with(delete_delay=10.0)
    client = local.vault().keys
    client.create_ec_key("it")
    poller = client.begin_delete_key("it")
    assert (poller.result().name, poller.status(), poller.done()) == ("it", "polling", True)
    poller.wait()
    assert (poller.result().name, poller.status(), poller.done()) == ("it", "finished", True)
