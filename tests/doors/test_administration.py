"""The doors to roles, full backups and settings of a Managed HSM, in both colours."""

from __future__ import annotations

import base64
import inspect
import json
import pickle
import uuid
from typing import Any

import pytest

pytest.importorskip("azure.keyvault.administration")

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.administration import (
    KeyVaultDataAction,
    KeyVaultPermission,
    KeyVaultRoleScope,
    KeyVaultSetting,
    KeyVaultSettingType,
)
from colours import Colour
from hsm_doors import CLIENTS, CONTAINER, HsmDoors, hsm_doors, nothing_sent
from key_doors import outcome
from test_parity import ADDITIONS, methods, shape

import safekv.administration
import safekv.administration.aio
from safekv import Vault
from safekv.emulator import Limits, Network
from safekv.errors import (
    AmbiguousWrite,
    ClientClosed,
    Conflict,
    DeadlineExceeded,
    InvalidArgument,
    MissingPermission,
    OperationFailed,
    OperationInProgress,
    RoleAssignmentNotFound,
    UnreadableAnswer,
    VaultUnavailable,
)
from safekv.testing import LocalKeyVault

SETTING = "AllowKeyManagementOperationsThroughARM"
NO_LIMITS = Limits(managed_hsm=None)


@pytest.fixture
def doors(colour: Colour) -> HsmDoors:
    return hsm_doors(colour, limits=NO_LIMITS)


def kinds(colour: Colour) -> list[tuple[type, type]]:
    """Our classes and the SDK's."""
    import azure.keyvault.administration as theirs
    import azure.keyvault.administration.aio as theirs_aio

    mine = safekv.administration if colour.loop is None else safekv.administration.aio
    azures = theirs if colour.loop is None else theirs_aio
    return [(getattr(mine, name), getattr(azures, name)) for name in CLIENTS.values()]


# -- drop-in


def test_every_name_and_signature_is_the_sdks(colour: Colour) -> None:
    import azure.keyvault.administration as theirs

    assert set(safekv.administration.__all__) == set(theirs.__all__)
    assert safekv.administration.__version__ == theirs.__version__
    assert set(safekv.administration.aio.__all__) == set(CLIENTS.values())
    for name in theirs.__all__:
        same = getattr(safekv.administration, name) is getattr(theirs, name)
        assert same == (not name.endswith("Client")), name
    for mine, azures in kinds(colour):
        assert issubclass(mine, azures)
        ours, other = methods(mine), methods(azures)
        assert set(ours) - set(other) == ADDITIONS
        for name, method in other.items():
            if isinstance(method, property):
                continue
            assert shape(ours[name]) == shape(method), name
            awaited = [inspect.iscoroutinefunction(inspect.unwrap(each)) for each in (ours[name], method)]
            assert awaited[0] == awaited[1], name


def test_every_method_is_known(colour: Colour) -> None:
    """What the SDK gains has to be looked at: is it checked, is it bounded?"""
    roles = {f"{verb}_role_{what}" for verb in ("delete", "get") for what in ("assignment", "definition")}
    roles |= {"create_role_assignment", "set_role_definition", "list_role_assignments", "list_role_definitions"}
    known = (
        roles,
        {"begin_backup", "begin_restore", "begin_pre_backup", "begin_pre_restore"},
        {"get_setting", "list_settings", "update_setting"},
    )
    common = {"close", "send_request", "vault_url"}
    for (mine, azures), names in zip(kinds(colour), known, strict=True):
        assert set(methods(azures)) == names | common
        assert names <= set(vars(mine))


def test_one_connection_and_one_object(doors: HsmDoors) -> None:
    clients = [doors.client(kind) for kind in CLIENTS]
    keys = doors.client("keys")
    assert [doors.client(kind) for kind in CLIENTS] == clients
    assert len({each._lease.connection for each in (*clients, keys)}) == 1
    doors.run(keys.get_random_bytes(1))
    doors.colour.items(clients[0].list_role_definitions("/"))
    doors.colour.items(clients[2].list_settings())
    assert doors.local.credential().requests == 1
    assert all(lane.startswith("hsm:") for lane in clients[0].lane_status())
    for each, name in zip(clients, CLIENTS.values(), strict=True):
        aio = "" if doors.colour.loop is None else ".aio"
        assert repr(each) == f"<safekv.administration{aio}.{name} https://pool.managedhsm.azure.net>"


def test_the_last_lease_closes(doors: HsmDoors) -> None:
    roles, settings = doors.client("roles"), doors.client("settings")
    doors.run(roles.close())
    assert doors.run(settings.get_setting(SETTING)).name == SETTING
    with pytest.raises(ClientClosed):
        doors.colour.items(roles.list_role_assignments("/"))


def test_an_ordinary_vault_has_none_of_it(doors: HsmDoors, local: LocalKeyVault) -> None:
    for mine, _ in kinds(doors.colour):
        with pytest.raises(InvalidArgument, match=r"is a vault, and a KeyVault.*Client is for a Managed HSM"):
            mine("https://my.vault.azure.net", local.credential(), transport=local.transport(doors.colour.name))
    vault = Vault("https://my.vault.azure.net", local.credential(), transport=local.transport())
    for name in ("access_control", "backup", "settings"):
        with pytest.raises(InvalidArgument, match="managedhsm"):
            getattr(vault, name)


def test_the_front_door() -> None:
    local = LocalKeyVault()
    local.emulator.add_vault("pool", hsm=True)
    with local.vault("pool") as hsm:
        assert hsm.access_control is hsm.access_control
        assert hsm.backup.begin_pre_backup(CONTAINER, use_managed_identity=True).result() is None
        assert [each.name for each in hsm.settings.list_settings()] == [SETTING]
        roles = hsm.access_control
    with pytest.raises(ClientClosed):
        list(roles.list_role_definitions("/"))


def test_a_pickle_finds_the_client_again(colour: Colour, registry: Any) -> None:
    """Of an environment where the default credential may travel."""
    with LocalKeyVault() as local:
        local.emulator.add_vault("pool", hsm=True)
        for mine, _ in kinds(colour):
            client: Any = mine("https://pool.managedhsm.azure.net")
            assert pickle.loads(pickle.dumps(client)) is client


# -- roles


def reader(doors: HsmDoors, **options: Any) -> Any:
    permissions = [KeyVaultPermission(data_actions=[KeyVaultDataAction.READ_HSM_KEY])]
    return doors.run(
        doors.client("roles").set_role_definition("/", role_name="reader", permissions=permissions, **options)
    )


def test_a_tour_of_roles_is_the_sdks(colour: Colour) -> None:
    seen = [roles_tour(hsm_doors(colour, limits=NO_LIMITS), package) for package in ("safekv", "azure.keyvault")]
    assert seen[0] == seen[1]


def roles_tour(doors: HsmDoors, package: str) -> list[Any]:
    client, run, items = doors.client("roles", package=package), doors.run, doors.colour.items
    name, other, principal = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
    permissions = [KeyVaultPermission(data_actions=[KeyVaultDataAction.READ_HSM_KEY])]
    made = run(
        client.set_role_definition(KeyVaultRoleScope.GLOBAL, name=name, role_name="reader", permissions=permissions)
    )
    seen = [made.id, made.role_type, made.permissions[0].data_actions, made.assignable_scopes]
    seen += [run(client.get_role_definition("/", uuid.UUID(name))).role_name]
    seen += [[each.role_name for each in items(client.list_role_definitions(scope="/keys"))]]
    assigned = run(client.create_role_assignment("/keys/app", made.id, principal, name=uuid.UUID(other)))
    seen += [assigned.role_assignment_id, assigned.properties.scope, assigned.properties.principal_id]
    seen += [run(client.get_role_assignment("/keys/app", other)).name]
    seen += [[each.name for each in items(client.list_role_assignments(KeyVaultRoleScope.KEYS))]]
    for _ in range(2):  # what is not there is as good as deleted
        seen += [run(client.delete_role_assignment("/keys/app", other))]
    seen += [run(client.delete_role_definition("/", name))]
    seen += [type(outcome(lambda: run(client.get_role_definition("/", name)))).__mro__[-4:]]
    return seen


def test_what_is_not_there(doors: HsmDoors) -> None:
    client = doors.client("roles")
    with pytest.raises(RoleAssignmentNotFound, match="Requested role assignment not found") as caught:
        doors.run(client.get_role_assignment("/", uuid.uuid4()))
    assert isinstance(caught.value, ResourceNotFoundError)
    assert (caught.value.vault, caught.value.operation) == ("pool.managedhsm.azure.net", "get_role_assignment")
    assert "at the scope that it was made for" in (caught.value.hint or "")
    with pytest.raises(ResourceNotFoundError, match="role definition not found"):
        doors.run(client.get_role_definition("/", uuid.uuid4()))


def test_a_denial_names_the_local_role(doors: HsmDoors) -> None:
    doors.local.fail(operation="list_role_assignments", error="403_mhsm")
    with pytest.raises(MissingPermission) as caught:
        doors.colour.items(doors.client("roles").list_role_assignments("/"))
    assert caught.value.code == "AccessDenied"
    assert caught.value.details["action"] == "Microsoft.KeyVault/managedHsm/roleAssignments/read/action"
    assert caught.value.details["role"] == "Managed HSM Crypto Auditor"
    assert caught.value.remedies[0].startswith("az keyvault role assignment create --hsm-name pool --role 'Managed HSM")


@pytest.mark.parametrize("fault", [Network.RESET_AFTER, Network.RESET_BEFORE, 503])
def test_an_assignment_is_made_once_whatever_happens(doors: HsmDoors, fault: Any) -> None:
    """Each attempt has the same name, whether it was given or made for the call."""
    definition = reader(doors)
    kind = {"status": fault} if isinstance(fault, int) else {"network": fault}
    doors.local.fail(operation="create_role_assignment", **kind)
    made = doors.run(doors.client("roles").create_role_assignment("/", definition.id, str(uuid.uuid4())))
    assert list(doors.hsm.administration.assignments)[1:] == [made.name]  # the first is the administrator's
    assert sum("create_role_assignment" in each for each in doors.asked()) == 2


def test_a_repetition_that_is_refused_as_double_is_read_back(doors: HsmDoors) -> None:
    definition = reader(doors)
    doors.local.fail(operation="create_role_assignment", network=Network.RESET_AFTER)
    doors.local.fail(operation="create_role_assignment", error="409_mhsm_assignment")
    name, principal = uuid.uuid4(), str(uuid.uuid4())
    made = doors.run(doors.client("roles").create_role_assignment("/", definition.id, principal, name=name))
    assert (made.name, made.properties.principal_id) == (str(name), principal)
    assert doors.asked()[-1] == "200 get_role_assignment"


def test_somebody_elses_assignment_is_not_taken_for_ours(doors: HsmDoors) -> None:
    client, definition, name = doors.client("roles"), reader(doors), uuid.uuid4()
    doors.run(client.create_role_assignment("/", definition.id, str(uuid.uuid4()), name=name))
    doors.local.fail(operation="create_role_assignment", network=Network.RESET_BEFORE)
    with pytest.raises(Conflict) as caught:
        doors.run(client.create_role_assignment("/", definition.id, str(uuid.uuid4()), name=name))
    assert isinstance(caught.value, ResourceExistsError)


@pytest.mark.parametrize(
    ("method", "arguments", "said"),
    [
        ("list_role_assignments", ("keys",), "no scope of a Managed HSM"),
        ("list_role_definitions", ("/secrets",), "no scope of a Managed HSM"),
        ("get_role_assignment", ("/keys/a_b", uuid.uuid4()), "not a valid key name"),
        ("get_role_assignment", ("/", "reader"), "name='reader' is not a GUID"),
        ("get_role_assignment", (None, uuid.uuid4()), "no scope"),
        ("delete_role_assignment", ("/", ""), "is not a GUID"),
        ("get_role_definition", ("/", "Managed HSM Crypto User"), "is not a GUID"),
        ("delete_role_definition", ("/keys", uuid.uuid4()), "at '/' only"),
        ("set_role_definition", ("/keys",), "at '/' only"),
        ("create_role_assignment", ("/", "reader", str(uuid.uuid4())), "not the id of a role definition"),
        ("create_role_assignment", ("/", None, str(uuid.uuid4())), "not the id of a role definition"),
        ("create_role_assignment", ("/", str(uuid.uuid4()), "me@example.com"), "principal_id='me@example.com'"),
    ],
)
def test_what_no_hsm_accepts_is_not_sent(doors: HsmDoors, method: str, arguments: tuple[Any, ...], said: str) -> None:
    client = doors.client("roles")
    with nothing_sent(doors), pytest.raises(InvalidArgument, match=said):
        doors.run(getattr(client, method)(*arguments))


@pytest.mark.parametrize(
    ("permissions", "scopes", "said"),
    [
        ("all", None, "permissions must be a list"),
        ([{"data_actions": []}], None, "must be KeyVaultPermission objects, not dict"),
        ([KeyVaultPermission(data_actions="read")], None, "data_actions must be a list, not str"),
        ([KeyVaultPermission(not_actions=[7])], None, "not_actions must be texts, not int"),
        (None, ["keys"], "no scope"),
        (None, "/", "assignable_scopes must be a list"),
    ],
)
def test_definitions_that_no_hsm_accepts(doors: HsmDoors, permissions: Any, scopes: Any, said: str) -> None:
    client = doors.client("roles")
    with nothing_sent(doors), pytest.raises(InvalidArgument, match=said):
        doors.run(client.set_role_definition("/", permissions=permissions, assignable_scopes=scopes))


# -- settings


def test_settings(doors: HsmDoors) -> None:
    client = doors.client("settings")
    (setting,) = doors.colour.items(client.list_settings(timeout=5))  # the SDK's fails with any keyword
    assert (setting.name, setting.getboolean(), setting.setting_type) == (SETTING, False, KeyVaultSettingType.BOOLEAN)
    assert doors.run(client.update_setting(KeyVaultSetting(SETTING, value=True))).getboolean()
    assert doors.run(client.get_setting(SETTING)).value == "true"
    pages = client.list_settings()  # the SDK's on aio is a coroutine that nobody may ever await
    assert len(doors.colour.items(pages)) == 1
    with nothing_sent(doors):
        for call in (
            lambda: client.get_setting("a/b"),
            lambda: client.get_setting(None),
            lambda: client.update_setting("true"),
            lambda: client.update_setting(KeyVaultSetting("", value=True)),
        ):
            with pytest.raises(InvalidArgument):
                doors.run(call())


# -- backups


def test_a_backup_and_what_it_brings_back(colour: Colour) -> None:
    doors = hsm_doors(colour, limits=NO_LIMITS, backup_delay=55.0)
    keys, backups = doors.client("keys"), doors.client("backups")
    first = doors.run(keys.create_oct_key("app", size=256, hardware_protected=True))
    began = doors.local.emulator.clock.time()
    assert doors.result(backups.begin_pre_backup(CONTAINER, use_managed_identity=True)) is None
    folder = doors.backed_up()
    assert folder.startswith(f"{CONTAINER}/mhsm-pool-")
    assert 55 <= doors.local.emulator.clock.time() - began <= 65
    second = doors.run(keys.create_oct_key("app", size=256, hardware_protected=True))
    doors.run(keys.create_oct_key("later", size=256, hardware_protected=True))
    doors.result(backups.begin_pre_restore(folder, sas_token="sv=1"))
    assert doors.result(backups.begin_restore(folder, "sv=1", key_name="app")) is None  # as it used to be given
    assert doors.run(keys.get_key("app")).id == first.id != second.id
    assert len(doors.colour.items(keys.list_properties_of_keys())) == 2
    assert doors.result(backups.begin_restore(folder, use_managed_identity=True)) is None
    assert [each.name for each in doors.colour.items(keys.list_properties_of_keys())] == ["app"]


def test_another_poller_takes_over(colour: Colour) -> None:
    doors = hsm_doors(colour, limits=NO_LIMITS, backup_delay=600.0)
    backups = doors.client("backups")
    poller = doors.run(backups.begin_backup(CONTAINER, use_managed_identity=True))
    token = poller.continuation_token()
    assert base64.b64decode(token).startswith(b"https://pool.managedhsm.azure.net/backup/")
    again = doors.run(backups.begin_backup(CONTAINER, use_managed_identity=True, continuation_token=token))
    folder = doors.result(again).folder_url
    assert doors.result(poller).folder_url == folder
    assert (poller.status(), again.status(), poller.done()) == ("Succeeded", "Succeeded", True)
    late = doors.run(backups.begin_backup(CONTAINER, use_managed_identity=True, continuation_token=token))
    assert late.status() == "Succeeded"
    assert doors.result(late).folder_url == folder  # the SDK's has an AttributeError for it
    assert sum(each == "202 backup" for each in doors.asked()) == 1
    restoring = doors.run(backups.begin_restore(folder, use_managed_identity=True))
    token = restoring.continuation_token()
    other = doors.run(backups.begin_restore(folder, use_managed_identity=True, continuation_token=token))
    assert doors.result(other) is doors.result(restoring) is None


def test_it_ends_at_its_timeout_and_goes_on_in_the_hsm(colour: Colour) -> None:
    doors = hsm_doors(colour, limits=NO_LIMITS, backup_delay=10_000.0)
    backups, clock = doors.client("backups"), doors.local.emulator.clock
    began = clock.time()
    poller = doors.run(backups.begin_backup(CONTAINER, use_managed_identity=True, timeout=60))
    with pytest.raises(DeadlineExceeded, match=r"backup on pool.* still under way when its timeout of 60 s was over"):
        doors.result(poller)
    assert clock.time() - began <= 60
    with pytest.raises(DeadlineExceeded):  # there is a timeout in any case
        doors.result(
            backups.begin_backup(
                CONTAINER,
                use_managed_identity=True,
                continuation_token=poller.continuation_token(),
                _polling_interval=300,
            )
        )
    assert 3_300 <= clock.time() - began <= 3_660
    doors.local.advance(seconds=10_000)
    again = backups.begin_backup(CONTAINER, use_managed_identity=True, continuation_token=poller.continuation_token())
    assert doors.result(again).folder_url


def test_what_passes_does_not_end_it(colour: Colour) -> None:
    doors = hsm_doors(colour, limits=NO_LIMITS, backup_delay=120.0)
    doors.local.fail(operation="backup_status", status=503, nth=2, count=6)
    doors.local.fail(operation="backup_status", network=Network.RESET_BEFORE, nth=12, count=2)
    doors.local.fail(operation="backup_status", status=429, nth=16, count=3)
    doors.local.fail(operation="backup_status", network=Network.TRUNCATED, nth=3)
    assert doors.backed_up(timeout=600)


def test_what_does_not_pass_in_time_is_told(colour: Colour) -> None:
    doors = hsm_doors(colour, limits=NO_LIMITS)
    doors.local.fail(operation="backup_status", status=503, count=None)
    error = outcome(lambda: doors.backed_up(timeout=60))
    assert isinstance(error, DeadlineExceeded)
    assert isinstance(error.__cause__, VaultUnavailable)


@pytest.mark.parametrize("error", ["403_mhsm", "404_mhsm_operation"])
def test_another_failure_of_a_look_is_raised(doors: HsmDoors, error: str) -> None:
    doors.local.fail(operation="backup_status", error=error)
    found = outcome(doors.backed_up)
    assert isinstance(found, HttpResponseError)
    assert found.status_code == int(error[:3])


@pytest.mark.parametrize("said", [{"html": True}, {"body": b"{}", "status": 200}, {"body": b"[1]", "status": 200}])
def test_what_is_no_status_is_told(doors: HsmDoors, said: dict[str, Any]) -> None:
    doors.local.fail(operation="backup_status", **said)
    with pytest.raises(UnreadableAnswer) as caught:
        doors.backed_up()
    assert caught.value.vault == "pool.managedhsm.azure.net"
    assert caught.value.operation in ("backup", "backup_status")  # read by us, or by the pipeline


def test_it_looks_as_often_as_the_hsm_asks(doors: HsmDoors) -> None:
    under_way = json.dumps({"status": "InProgress"}).encode()
    doors.local.fail(operation="backup_status", body=under_way, status=200, retry_after=40)
    doors.backed_up()
    looks = [entry.time for entry in doors.local.journal if entry.operation == "backup_status"]
    assert looks[1] - looks[0] >= 40


def test_an_operation_that_fails_says_why(doors: HsmDoors) -> None:
    doors.hsm.storage_error = "The container does not exist"
    with pytest.raises(OperationFailed, match=r"\(StorageError\) The container does not exist") as caught:
        doors.backed_up()
    assert isinstance(caught.value, HttpResponseError)
    assert (caught.value.code, caught.value.operation) == ("StorageError", "backup")
    assert caught.value.vault == "pool.managedhsm.azure.net"
    assert not caught.value.transient
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (OperationFailed, str(caught.value))


def test_one_at_a_time(colour: Colour) -> None:
    doors = hsm_doors(colour, limits=NO_LIMITS, backup_delay=100_000.0)
    backups = doors.client("backups")
    doors.local.fail(operation="backup_status", status=400, count=None)  # its poller ends at the first look
    first = doors.run(backups.begin_backup(CONTAINER, use_managed_identity=True))
    with pytest.raises(HttpResponseError):
        doors.result(first)
    with pytest.raises(OperationInProgress) as caught:
        doors.run(backups.begin_restore(f"{CONTAINER}/folder", use_managed_identity=True))
    assert isinstance(caught.value, ResourceExistsError)
    assert caught.value.transient


@pytest.mark.parametrize("method", ["begin_backup", "begin_restore", "begin_restore of a key"])
@pytest.mark.parametrize("fault", [{"network": "reset-after"}, {"status": 500}])
def test_none_is_begun_twice(doors: HsmDoors, method: str, fault: dict[str, Any]) -> None:
    place = CONTAINER if method == "begin_backup" else doors.backed_up()
    name, _, key = method.partition(" of a ")
    operation = "selective_restore" if key else name
    doors.local.fail(operation=operation, **fault)
    options = {"key_name": key} if key else {}
    before = len(doors.asked())
    with pytest.raises(AmbiguousWrite):
        doors.run(getattr(doors.client("backups"), name)(place, use_managed_identity=True, **options))
    assert len(doors.asked()) == before + 1


@pytest.mark.parametrize("method", ["begin_pre_backup", "begin_pre_restore"])
def test_a_check_changes_nothing_and_is_repeated(doors: HsmDoors, method: str) -> None:
    place = CONTAINER if method == "begin_pre_backup" else doors.backed_up()
    doors.local.fail(operation=method, network=Network.RESET_BEFORE)
    assert doors.result(getattr(doors.client("backups"), method)(place, use_managed_identity=True)) is None


TOKEN = "sv=2025&sig=a-planted-signature"


@pytest.mark.parametrize(
    ("method", "address", "options", "said"),
    [
        ("begin_backup", CONTAINER, {}, "Neither was given"),
        ("begin_backup", CONTAINER, {"use_managed_identity": False}, "Neither was given"),
        ("begin_backup", CONTAINER, {"use_managed_identity": True, "sas_token": TOKEN}, "Both were given"),
        ("begin_backup", CONTAINER, {"sas_token": b"sv=2025"}, "sas_token must be a str, not bytes"),
        ("begin_backup", f"{CONTAINER}?{TOKEN}", {"use_managed_identity": True}, "without a query"),
        ("begin_backup", "https://account.blob.core.windows.net", {"sas_token": TOKEN}, "address of a container"),
        ("begin_pre_backup", "http://account/backups", {"sas_token": TOKEN}, "address of a container"),
        ("begin_pre_backup", None, {"sas_token": TOKEN}, "address of a container"),
        ("begin_restore", CONTAINER, {"sas_token": TOKEN}, "address of a backup in a container"),
        ("begin_restore", f"{CONTAINER}/a", {"sas_token": TOKEN, "key_name": "a_b"}, "not a valid key name"),
        ("begin_restore", f"{CONTAINER}/a", {"sas_token": TOKEN, "key_name": ""}, "not a valid key name"),
        ("begin_pre_restore", "https://[", {"sas_token": TOKEN}, "address of a backup"),
        ("begin_pre_restore", f"{CONTAINER}/a", {}, "Neither was given"),
        (
            "begin_backup",
            CONTAINER,
            {"sas_token": TOKEN, "continuation_token": "not base64!"},
            "continuation_token is malformed",
        ),
        (
            "begin_backup",
            CONTAINER,
            {
                "sas_token": TOKEN,
                "continuation_token": base64.b64encode(b"https://pool.managedhsm.azure.net/keys/a").decode(),
            },
            "continuation_token is malformed",
        ),
        (
            "begin_backup",
            CONTAINER,
            {
                "sas_token": TOKEN,
                "continuation_token": base64.b64encode(b"https://evil.example/backup/1/pending").decode(),
            },
            "is not one of an operation on https://pool",
        ),
    ],
)
def test_backups_that_cannot_be(doors: HsmDoors, method: str, address: Any, options: dict[str, Any], said: str) -> None:
    client = doors.client("backups")
    with nothing_sent(doors), pytest.raises(InvalidArgument, match=said) as caught:
        doors.run(getattr(client, method)(address, **options))
    assert "planted" not in str(caught.value)


def test_the_sas_token_of_a_folders_address_is_not_sent(doors: HsmDoors, caplog: pytest.LogCaptureFixture) -> None:
    folder = doors.backed_up()
    sent: list[bytes] = []
    poller = doors.client("backups").begin_restore(
        f"{folder}?{TOKEN}",
        use_managed_identity=True,
        raw_request_hook=lambda request: sent.append(request.http_request.content or b""),
        logging_enable=True,
    )
    assert doors.result(poller) is None
    assert sent
    assert "planted" not in repr(sent) + caplog.text


def test_the_sas_token_is_in_no_error(doors: HsmDoors, caplog: pytest.LogCaptureFixture) -> None:
    doors.local.fail(operation="backup", error="403_mhsm")
    with pytest.raises(MissingPermission) as caught:
        doors.run(doors.client("backups", logging_enable=True).begin_backup(CONTAINER, sas_token=TOKEN))
    assert caught.value.details["role"]
    assert b"planted" not in pickle.dumps(caught.value)
    assert "planted" not in repr(caught.value) + str(caught.value) + caplog.text


# -- lanes


ADMINISTRATOR = "a290e904-7015-4bba-90c8-60543313cdb4"


def role_operations(doors: HsmDoors, count: int, **options: Any) -> float:
    """So many one after the other; returns how many seconds they took."""
    client, clock = doors.client("roles", **options), doors.local.emulator.clock
    began = clock.time()
    for _ in range(count):
        assert doors.run(client.get_role_definition("/", ADMINISTRATOR)).role_name == "Managed HSM Administrator"
    return clock.time() - began


def throttled(doors: HsmDoors) -> int:
    return sum(each.startswith("429") for each in doors.asked())


def test_a_process_that_is_told_its_share_never_meets_the_limit(colour: Colour) -> None:
    """5 role operations in any second, also after a pause in which more could have been saved up."""
    doors = hsm_doors(colour)
    assert role_operations(doors, 23, share=1.0) >= 4
    doors.local.advance(seconds=30)
    assert role_operations(doors, 12, share=1.0) >= 2
    assert throttled(doors) == 0
    assert doors.client("roles", share=1.0).lane_status()["hsm:roles"].accepted == 35


def test_a_limit_that_is_not_told_is_learned(colour: Colour) -> None:
    doors = hsm_doors(colour)
    assert 3 <= role_operations(doors, 23) <= 20
    assert 1 <= throttled(doors) <= 12
    assert doors.client("roles").lane_status()["hsm:roles"].accepted == 23


def test_backups_have_a_lane_and_looks_have_another(colour: Colour) -> None:
    doors = hsm_doors(colour, backup_delay=0.0)
    for _ in range(3):
        doors.backed_up(timeout=60)
    lanes = doors.client("backups").lane_status()
    assert lanes["hsm:backup"].accepted == 3
    assert lanes["hsm:other"].accepted >= 3


# -- an HSM that enforces its roles


@pytest.mark.filterwarnings("ignore::safekv.errors.ManyCredentialsWarning")  # there are two identities
@pytest.mark.parametrize(
    ("kind", "method", "arguments", "role"),
    [
        ("keys", "create_oct_key", ("new",), "Crypto User"),
        ("keys", "get_key", ("app",), "Crypto Auditor"),
        ("keys", "backup_key", ("app",), "Backup User"),
        ("keys", "get_deleted_key", ("gone",), "Crypto Auditor"),
        ("keys", "purge_deleted_key", ("gone",), "Crypto Officer"),
        ("keys", "get_random_bytes", (8,), "Crypto User"),
        ("roles", "get_role_definition", ("/", ADMINISTRATOR), "Crypto Auditor"),
        ("roles", "set_role_definition", ("/",), "Policy Administrator"),
        ("settings", "get_setting", (SETTING,), "Administrator"),
        ("settings", "update_setting", (KeyVaultSetting(SETTING, True),), "Administrator"),
    ],
)
def test_a_denial_names_the_role_that_then_helps(
    colour: Colour, kind: str, method: str, arguments: tuple[Any, ...], role: str
) -> None:
    """Follow the hint, and it works; what is tried before and after is the same call."""
    doors = hsm_doors(colour, limits=NO_LIMITS)
    keys = doors.client("keys")
    for name in ("app", "gone"):
        doors.run(keys.create_oct_key(name, hardware_protected=True))
    sync = colour.loop is None
    deletion = keys.begin_delete_key("gone") if sync else doors.run(keys.delete_key("gone"))
    if sync:
        deletion.wait()
    doors.hsm.enforce = True
    app = doors.local.credential("app")
    client = doors.client(kind, credential=app)
    with pytest.raises(MissingPermission) as caught:
        doors.run(getattr(client, method)(*arguments))
    assert caught.value.details["role"] == f"Managed HSM {role}"
    command = caught.value.remedies[0]
    assert f"--role 'Managed HSM {role}'" in command
    scope = command.rpartition("--scope ")[2]
    doors.local.assign(app, caught.value.details["role"], vault="pool", scope=scope)
    doors.run(getattr(client, method)(*arguments))


def test_a_backup_user_may_back_up_and_no_more(colour: Colour) -> None:
    doors = hsm_doors(colour, limits=NO_LIMITS, enforce=True)
    app = doors.local.credential("app")
    doors.local.assign(app, "Managed HSM Backup User", vault="pool")
    backups = doors.client("backups", credential=app)
    folder = doors.result(backups.begin_backup(CONTAINER, use_managed_identity=True)).folder_url
    with pytest.raises(MissingPermission, match="restore/start/action on /") as caught:
        doors.run(backups.begin_restore(folder, use_managed_identity=True))
    assert caught.value.details["role"] == "Managed HSM Restore User"
