"""Access to a vault, read from the emulator's control plane; and templates that are deployed there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safekv import access
from safekv.access import PermissionModel, Template
from safekv.access._evaluation import Scope
from safekv.access._management import PUBLIC, cloud_of
from safekv.access._place import Place
from safekv.connection import _registry
from safekv.emulator import EmulatorSettings
from safekv.errors import (
    AccessDenied,
    DeadlineExceeded,
    InvalidArgument,
    MissingPackage,
    MissingPermission,
    VaultThrottled,
)
from safekv.testing import LocalKeyVault

pytest.importorskip("azure.mgmt.keyvault")
pytest.importorskip("azure.mgmt.authorization")

DATA = Path(__file__).parents[1] / "unit" / "access" / "data"
ADMINISTRATOR = "00000000-0000-4000-8000-000000000003"


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalKeyVault]:
    with LocalKeyVault(settings=EmulatorSettings(enforce=True)) as it:
        monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", it.arm.subscription)
        it.vault("my-vault", enforce=True)
        yield it


@pytest.fixture
def twelve(local: LocalKeyVault) -> LocalKeyVault:
    """``my-vault`` has the twelve policies of the data."""
    properties = json.loads((DATA / "twelve.json").read_text("utf-8"))["properties"]
    put(local, "my-vault", {**properties, "sku": {"family": "A", "name": "standard"}})
    return local


def put(local: LocalKeyVault, name: str, properties: Any) -> None:
    body = {"location": "westeurope", "properties": properties}
    local.arm.keyvault().vaults.begin_create_or_update(local.arm.resource_group, name, body).result()


def deploy(local: LocalKeyVault, text: str) -> None:
    """What Azure does with a template: each vault in it is put, with what its properties come to."""
    place = Place(local.arm.subscription, local.arm.resource_group, local.emulator.settings.tenant)
    template = Template.parse(text, {"administrator": ADMINISTRATOR})
    listed, scope = template.root["resources"], Scope(template.root, template.parameters, place)
    if isinstance(listed, dict):  # Bicep's module: the one deployment in it
        properties = listed["vault"]["properties"]
        given = {name: scope.value(each["value"]) for name, each in properties["parameters"].items()}
        scope = Scope(properties["template"], given, place)
        listed = [each for each in properties["template"]["resources"].values() if not each.get("existing")]
    for each in listed:
        put(local, scope.value(each["name"]), scope.value(each["properties"]))


@pytest.mark.parametrize("name", ["three.json", "three.bicep.json"])
def test_a_vault_with_twelve_policies_is_deployed_again_with_three(
    twelve: LocalKeyVault, name: str, tmp_path: Path
) -> None:
    before = access.read("my-vault")
    parameters = {"administrator": ADMINISTRATOR}
    found = access.diff(DATA / name, before, parameters)
    named = {str(each.identity) for each in found.lost}
    assert len(named) == 9

    merged = access.merge(DATA / name, before, parameters)
    (tmp_path / "merged.json").write_text(merged.text, "utf-8")
    assert access.diff(tmp_path / "merged.json", before, parameters).is_safe()
    deploy(twelve, merged.text)
    assert access.read("my-vault").by_identity() == before.by_identity()

    deploy(twelve, (DATA / name).read_text("utf-8"))
    after = access.read("my-vault").by_identity()
    assert {str(each) for each in before.by_identity() if each not in after} == named


def test_the_commands_say_it_and_stop_a_pipeline(twelve: LocalKeyVault, tmp_path: Path) -> None:
    pytest.importorskip("click")
    from click.testing import CliRunner

    from safekv.cli import main

    def run(*arguments: Any) -> Any:
        return CliRunner().invoke(main, ["access", *map(str, arguments)])

    given = ("--parameters", DATA / "three.parameters.json")
    found = run("diff", DATA / "three.json", *given)
    assert found.exit_code == 1
    assert found.output.count("loses everything") == 9
    assert "my-vault: 9 identities lose access, 3 identities keep all." in found.output
    assert len(json.loads(run("diff", DATA / "three.json", *given, "--json").output)["lost"]) == 9

    merged = tmp_path / "merged.json"
    assert run("merge", DATA / "three.json", *given, "-o", merged).exit_code == 0
    assert run("diff", merged, *given).exit_code == 0

    unknown = run("diff", merged)
    assert unknown.exit_code == 1
    assert "[parameters('administrator')]: no value is given for it" in unknown.output
    assert run("diff", merged, "--allow-unknown").exit_code in (0, 1)

    saved = tmp_path / "saved.json"
    assert run("export", "my-vault", "--format", "json", "-o", saved).exit_code == 0
    assert run("diff", DATA / "three.bicep.json", "--present", saved).exit_code == 1
    assert "enableRbacAuthorization" in run("export", "my-vault").output
    assert "parent: vault" in run("export", "my-vault", "--format", "bicep", "--child").output

    shown = run("show", "my-vault")
    assert "12 access policies" in shown.output
    assert "Owner" in shown.output
    assert json.loads(run("show", "my-vault", "--json").output)["name"] == "my-vault"

    may = ("check", "my-vault", "--operation", "get_secret", "--name", "db", "--identity")
    assert run(*may, ADMINISTRATOR).exit_code == 0
    denied = run(*may, "00000000-0000-4000-8000-00000000000f", "--no-groups", "--json")
    assert denied.exit_code == 1
    assert "--secret-permissions get" in json.loads(denied.output)["command"]

    for wrong in (
        ("diff", tmp_path / "nothing.json"),
        ("show", "no-such-vault"),
        ("check", "my-vault", "--identity", "x", "--operation", "y"),
    ):
        failed = run(*wrong)
        assert failed.exit_code == 2
        assert failed.output.startswith("Error: ")


def test_a_vault_is_found_by_id_url_and_name(local: LocalKeyVault) -> None:
    known = access.read(local.arm.vault_id("my-vault"), subscription_id="ignored")
    assert (known.name, known.model, known.uri) == (
        "my-vault",
        PermissionModel.POLICIES,
        "https://my-vault.vault.azure.net/",
    )
    assert access.read("https://MY-vault.vault.azure.net/") == access.read("my-vault") == known
    with pytest.raises(InvalidArgument, match="sees no vault other"):
        access.read("other")
    with pytest.raises(InvalidArgument, match="Managed HSM"):
        access.read("https://my.managedhsm.azure.net")
    assert len(_registry.current()) == 0  # nothing is left open


def test_without_a_subscription_it_says_what_to_give(local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
    with pytest.raises(InvalidArgument, match="AZURE_SUBSCRIPTION_ID"):
        access.read("my-vault")


def test_the_change_that_a_check_names_allows_exactly_that(local: LocalKeyVault) -> None:
    app = local.credential("app")
    door = local.vault("my-vault", credential=app)
    local.set_secret("db", "v", vault="my-vault")
    denied = access.check(access.read("my-vault"), app.principal.oid, "get_secret", "db", groups=())
    assert not denied.allowed
    with pytest.raises(MissingPermission):
        door.secrets.get_secret("db", max_age=0)
    assert denied.command is not None
    assert "--secret-permissions get" in denied.command
    local.allow(app, vault="my-vault", secrets=["get"])
    assert access.check(access.read("my-vault"), app.principal.oid, "get_secret", "db").allowed
    assert door.secrets.get_secret("db", max_age=0).name == "db"


def test_roles_their_scopes_and_groups(local: LocalKeyVault) -> None:
    app, member = local.credential("app"), local.credential("member", groups=["team"])
    door = local.vault("my-vault", enforce=True, rbac=True, credential=app)
    local.set_secret("db", "v", vault="my-vault")
    present = access.read("my-vault")
    denied = access.check(present, app.principal.oid, "get_secret", "db", groups=())
    assert (present.model, denied.allowed) == (PermissionModel.RBAC, False)
    assert denied.command is not None
    scope = denied.command.rpartition(" ")[2]
    assert scope.endswith("/my-vault/secrets/db")
    local.assign(app, "Key Vault Secrets User", vault="my-vault", scope=scope)
    local.assign("team", "Key Vault Secrets User", vault="my-vault")
    assert access.groups_of(present, app.principal.oid) == frozenset()
    present = access.read("my-vault")
    assert access.check(present, app.principal.oid, "get_secret", "db").allowed
    assert not access.check(present, app.principal.oid, "get_secret", "other", groups=()).allowed
    assert door.secrets.get_secret("db", max_age=0).name == "db"
    groups = access.groups_of(present, member.principal.oid)
    assert groups == {*member.principal.groups}
    assert access.check(present, member.principal.oid, "get_secret", "db", groups=groups).allowed


def test_who_may_not_read_it_is_told_which_role_it_takes(local: LocalKeyVault) -> None:
    app = local.credential("app")
    with pytest.raises(AccessDenied) as caught:
        access.read(local.arm.vault_id("my-vault"), app)
    assert "Microsoft.KeyVault/vaults/read" in str(caught.value)
    assert "az role assignment create --role Reader" in str(caught.value)


def test_roles_need_not_be_read(local: LocalKeyVault) -> None:
    asked = len(local.journal)
    assert access.read(local.arm.vault_id("my-vault"), roles=False).assignments is None
    assert len(local.journal) == asked + 1
    access.read("my-vault", roles=False)
    assert len(local.journal) == asked + 3


class Troubled:
    """A transport on which the control plane throttles first, or always."""

    def __init__(self, transport: Any, times: int, wait: float) -> None:
        self._transport, self._left, self._wait = transport, times, wait
        self.clock = transport.clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *details: object) -> None:
        """It is another's."""

    def send(self, request: Any, **options: Any) -> Any:
        response = self._transport.send(request, **options)
        if self._left:
            self._left -= 1
            response.status_code = 429
            response.headers["Retry-After"] = str(self._wait)
        return response


def test_throttling_is_waited_out_and_one_deadline_ends_it(local: LocalKeyVault) -> None:
    began = local.emulator.clock.time()
    found = access.read("my-vault", local.credential(), transport=Troubled(local.transport(), 2, 7))
    assert found.name == "my-vault"
    assert local.emulator.clock.time() - began >= 14
    began = local.emulator.clock.time()
    with pytest.raises((VaultThrottled, DeadlineExceeded)):
        access.read("my-vault", local.credential(), transport=Troubled(local.transport(), 10_000, 7), timeout=20)
    assert local.emulator.clock.time() - began <= 20


def test_without_the_extra_it_says_what_to_install(local: LocalKeyVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "azure.mgmt.keyvault", None)
    with pytest.raises(MissingPackage, match=r"safekv\[management\]"):
        access.read("my-vault")


@pytest.mark.parametrize(
    ("host", "authority", "endpoint"),
    [
        ("my.vault.azure.net", "", "management.azure.com"),
        ("my.vault.usgovcloudapi.net", "", "management.usgovcloudapi.net"),
        ("my.vault.azure.cn", "", "management.chinacloudapi.cn"),
        (None, "https://login.microsoftonline.us/", "management.usgovcloudapi.net"),
        (None, "login.chinacloudapi.cn", "management.chinacloudapi.cn"),
        (None, "", "management.azure.com"),
    ],
)
def test_each_cloud_is_managed_where_it_is(host: str | None, authority: str, endpoint: str) -> None:
    from azure.core import AzureClouds
    from azure.mgmt.core.tools import get_arm_endpoints

    found = cloud_of(host, {"AZURE_AUTHORITY_HOST": authority})
    assert found.endpoint == f"https://{endpoint}"
    theirs = [get_arm_endpoints(cloud) for cloud in AzureClouds]
    assert any(
        each["resource_manager"].rstrip("/") == found.endpoint and each["credential_scopes"] == [found.scope]
        for each in theirs
    )


def test_an_endpoint_of_one_s_own() -> None:
    assert cloud_of(None, {}, "https://management.local.azurestack.external/").scope.endswith("external/.default")
    assert cloud_of(None, {}) == PUBLIC
    with pytest.raises(InvalidArgument, match="no cloud"):
        cloud_of("localhost", {})  # a token for Azure goes to Azure alone
    with pytest.raises(InvalidArgument, match="https"):
        cloud_of(None, {}, "http://example.org")


def test_a_token_for_azure_goes_to_no_other_machine() -> None:
    vaults = {"SAFEKV_EMULATOR_VAULTS": "my-vault=https://127.0.0.1:8443"}

    def managed(host: str | None, url: str) -> str:
        return cloud_of(host, {**vaults, "SAFEKV_EMULATOR_MANAGEMENT_URL": url}).endpoint

    assert managed("127.0.0.1", "https://localhost:8444/") == "https://localhost:8444"
    assert managed(None, "https://[::1]:8444") == "https://[::1]:8444"
    assert managed(None, "") == PUBLIC.endpoint
    for elsewhere in ("https://evil.example", "https://127.0.0.1.evil.example", "evil"):
        assert managed(None, elsewhere) == PUBLIC.endpoint
        with pytest.raises(InvalidArgument, match="no cloud"):
            managed("127.0.0.1", elsewhere)
    for unfit in ("http://127.0.0.1:8444", "https://127.0.0.1@evil.example"):
        with pytest.raises(InvalidArgument):
            managed(None, unfit)


def _denied(local: LocalKeyVault, app: Any, key: str | None = None) -> list[Any]:
    """What the doctor finds in ``my-vault``, but for the way there."""
    pytest.importorskip("click")
    from safekv.cli.examination import _walk
    from safekv.cli.examination._machine import Machine

    told = {"scope": "https://vault.azure.net/.default", "tenant": local.emulator.settings.tenant}
    told["resource"] = "https://vault.azure.net"
    machine = Machine(environ={"AZURE_SUBSCRIPTION_ID": local.arm.subscription})
    return list(_walk._permissions("https://my-vault.vault.azure.net", told, machine, "db", key, app))


@pytest.mark.parametrize("rbac", [False, True])
def test_the_doctor_names_the_change_where_it_may_read_the_vault_s_resource(local: LocalKeyVault, rbac: bool) -> None:
    app = local.credential("app")
    local.vault("my-vault", enforce=True, rbac=rbac)
    local.set_secret("db", "v", vault="my-vault")
    local.allow(app, vault="my-vault", secrets=["list"])
    checks = {each.name: each for each in _denied(local, app)}
    assert (checks["get"].state, checks["access"].state) == ("failed", "skipped")  # it may not read the resource

    local.assign(app, "Reader", scope=f"/subscriptions/{local.arm.subscription}")
    checks = {each.name: each for each in _denied(local, app)}
    assert checks["access"].state == "ok"
    (command,) = checks["get"].remedies
    if rbac:
        assert command.startswith("az role assignment create --role 'Key Vault Secrets User'")
        assert command.endswith("/vaults/my-vault/secrets/db")
    else:
        assert command.endswith(f"--object-id {app.principal.oid} --secret-permissions get list")
    local.allow(app, vault="my-vault", secrets=["get", "list"])
    local.assign(app, "Key Vault Secrets User", vault="my-vault")
    checks = {each.name: each for each in _denied(local, app)}
    assert checks["get"].state == "ok"
    assert checks["access"].said == "nothing is denied"


def test_a_name_alone_is_looked_for_in_the_cloud_of_the_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    from safekv.access._reader import _address

    assert _address("my-vault") == (None, "my-vault", None)
    assert _address("https://my-vault.vault.azure.cn")[1:] == ("my-vault", "my-vault.vault.azure.cn")
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", "https://mine.vault.azure.net/")
    assert _address(None)[1] == "mine"
