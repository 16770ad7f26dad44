"""Each of the eight client classes is a drop-in: the SDK's attributes and signatures, plus what we add and say so.

A method that a newer SDK adds fails here until somebody has looked at it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from key_doors import Doors, outcome
from test_parity import ADDITIONS, OURS, methods, shape

from safekv import Vault
from safekv.errors import ClientClosed, InvalidArgument
from safekv.testing import LocalKeyVault

CLIENTS = {
    "secrets": "SecretClient",
    "keys": "KeyClient",
    "keys.crypto": "CryptographyClient",
    "certificates": "CertificateClient",
}
MODULES = [f"{package}{aio}" for package in CLIENTS for aio in ("", ".aio")]
#: What each has beyond the SDK's and beyond what all have.
MORE = {"certificates": {"get_private_key", "load_ssl_context"}, "secrets": OURS}
#: All that the SDK's clients have; a newer SDK's methods are to be looked at before they are added here.
KNOWN = {
    "secrets": """
        backup_secret close get_deleted_secret get_secret list_deleted_secrets
        list_properties_of_secret_versions list_properties_of_secrets purge_deleted_secret
        restore_secret_backup send_request set_secret update_secret_properties vault_url
    """,
    "keys": """
        backup_key close create_ec_key create_key create_oct_key create_rsa_key get_cryptography_client
        get_deleted_key get_key get_key_attestation get_key_rotation_policy get_random_bytes import_key
        list_deleted_keys list_properties_of_key_versions list_properties_of_keys purge_deleted_key
        release_key restore_key_backup rotate_key send_request update_key_properties
        update_key_rotation_policy vault_url
    """,
    "keys.crypto": """
        close decrypt encrypt from_jwk key_id send_request sign unwrap_key vault_url verify wrap_key
    """,
    "certificates": """
        backup_certificate cancel_certificate_operation close create_issuer delete_certificate_operation
        delete_contacts delete_issuer get_certificate get_certificate_operation get_certificate_policy
        get_certificate_version get_contacts get_deleted_certificate get_issuer import_certificate
        list_deleted_certificates list_properties_of_certificate_versions list_properties_of_certificates
        list_properties_of_issuers merge_certificate purge_deleted_certificate restore_certificate_backup
        send_request set_contacts update_certificate_policy update_certificate_properties update_issuer
        vault_url
    """,
}
#: What only one colour has.
ONLY = {
    "keys.crypto": ("create_rsa_private_key create_rsa_public_key", ""),
    **{
        f"{kind}s": (" ".join(f"begin_{verb}_{kind}" for verb in verbs), " ".join(f"{verb}_{kind}" for verb in verbs))
        for kind, verbs in {
            "secret": ("delete", "recover_deleted"),
            "key": ("delete", "recover_deleted"),
            "certificate": ("create", "delete", "recover_deleted"),
        }.items()
    },
}
NAMES = ("name", "key_name", "certificate_name")
OTHER_ARGUMENTS: dict[str, Any] = {
    "key_type": "RSA",
    "target_attestation_token": "token",
    "version": "v",
    "certificate_bytes": b"pem",
    "x509_certificates": [b"der"],
}


def kinds(module: str) -> tuple[Any, Any]:
    """Our class and the SDK's."""
    name = CLIENTS[module.removesuffix(".aio")]
    return tuple(
        getattr(importlib.import_module(f"{package}.{module}"), name) for package in ("safekv", "azure.keyvault")
    )


@pytest.mark.parametrize("module", MODULES)
def test_every_attribute_and_signature(module: str) -> None:
    mine, azures = map(methods, kinds(module))
    assert set(mine) - set(azures) == ADDITIONS | MORE.get(module.removesuffix(".aio"), set())
    assert set(azures) <= set(mine)
    for name, method in azures.items():
        if isinstance(method, property):
            assert isinstance(mine[name], property), name
            continue
        assert shape(mine[name]) == shape(method), name
        awaited = [inspect.iscoroutinefunction(inspect.unwrap(each)) for each in (mine[name], method)]
        assert awaited[0] == awaited[1], name


@pytest.mark.parametrize("module", MODULES)
def test_every_method_is_known(module: str) -> None:
    package, aio = module.removesuffix(".aio"), module.endswith(".aio")
    assert set(methods(kinds(module)[1])) == {*KNOWN[package].split(), *ONLY[package][aio].split()}


@pytest.mark.parametrize("module", MODULES)
def test_the_constructors(module: str) -> None:
    mine, azures = (inspect.signature(kind).parameters for kind in kinds(module))
    first = next(iter(azures))
    assert list(azures) == [first, "credential", "kwargs"]
    assert list(mine) == [first, "credential", "options"]
    assert [each.kind for each in mine.values()] == [each.kind for each in azures.values()]
    assert mine["credential"].default is None


@pytest.mark.parametrize("package", CLIENTS)
def test_the_colours_are_twins(package: str) -> None:
    sync, aio = (vars(kinds(f"{package}{colour}")[0]) for colour in ("", ".aio"))
    begun = {name.removeprefix("begin_") for name in sync}
    only_sync = {"create_rsa_private_key", "create_rsa_public_key"}
    dunder = {name for name in {*sync, *aio} if name.startswith("__")}
    assert begun - only_sync - dunder == set(aio) - dunder


def clients(doors: Doors) -> Iterator[Any]:
    yield doors.keys()
    yield doors.certificates()


def test_every_name_is_checked_before_anything_is_sent(doors: Doors) -> None:
    """By each method that takes one, whatever it is called."""
    checked = 0
    for client in clients(doors):
        for name, method in methods(type(client)).items():
            if isinstance(method, property):
                continue
            parameters = inspect.signature(method).parameters
            named = [each for each in NAMES if each in parameters]
            if not named or name == "from_jwk":
                continue
            arguments = {
                each.name: argument(doors, each.name)
                for each in parameters.values()
                if each.default is each.empty and each.name != "self" and each.kind is not each.VAR_KEYWORD
            }
            for bad in ("under_score", "", None, "a/b", "x" * 128):
                error = outcome(lambda: run(doors, getattr(client, name)(**{**arguments, named[0]: bad})))  # noqa: B023
                assert isinstance(error, InvalidArgument), (name, bad, error)
            checked += 1
    assert checked >= 30
    assert not list(doors.local.journal)


def argument(doors: Doors, name: str) -> Any:
    if name == "policy":
        return importlib.import_module("azure.keyvault.certificates").CertificatePolicy.get_default()
    if name == "key":
        return importlib.import_module("azure.keyvault.keys").JsonWebKey(kty="RSA")
    return OTHER_ARGUMENTS.get(name, "argument")


def run(doors: Doors, answer: Any) -> Any:
    """A pager does nothing until it is used."""
    return doors.colour.items(answer) if hasattr(answer, "by_page") else doors.run(answer)


# -- one connection


def test_all_clients_of_a_vault_share_its_connection(doors: Doors, local: LocalKeyVault) -> None:
    secrets = doors.colour.client(local)
    keys, certificates = doors.keys(), doors.certificates()
    crypto = doors.crypto(f"{local.url()}/keys/rsa")
    connections = {client._lease.connection for client in (secrets, keys, certificates, crypto._key_client)}
    assert len(connections) == 1
    assert doors.keys() is keys
    assert doors.certificates() is certificates
    doors.run(keys.create_rsa_key("rsa"))
    doors.run(crypto.wrap_key("RSA-OAEP", bytes(32)))
    assert local.credential().requests == 1


def test_the_last_lease_closes(doors: Doors, local: LocalKeyVault) -> None:
    keys, certificates = doors.keys(), doors.certificates()
    doors.run(keys.close())
    assert doors.colour.items(certificates.list_properties_of_certificates()) == []
    with pytest.raises(ClientClosed):
        doors.run(keys.get_key("rsa"))
    doors.run(certificates.close())
    with pytest.raises(ClientClosed):
        doors.colour.items(certificates.list_properties_of_certificates())


def test_the_front_door(local: LocalKeyVault) -> None:
    with local.vault() as vault:
        assert vault.keys is vault.keys
        assert vault.certificates is vault.certificates
        key = vault.keys.create_rsa_key("rsa")
        wrapped = vault.crypto("rsa").wrap_key("RSA-OAEP-256", bytes(32))
        assert vault.crypto("rsa", key.properties.version).unwrap_key(wrapped.algorithm, wrapped.encrypted_key).key
        assert vault.lane_status()
        keys = vault.keys
    with pytest.raises(ClientClosed):
        keys.get_key("rsa")


# -- Managed HSMs


def test_an_hsm_holds_keys_only(doors: Doors, local: LocalKeyVault) -> None:
    url = "https://pool.managedhsm.azure.net"
    for package in ("secrets", "certificates"):
        kind = getattr(doors.module(package), CLIENTS[package])
        with pytest.raises(InvalidArgument, match="is a Managed HSM, which holds keys only"):
            kind(url, local.credential(), transport=local.transport(doors.colour.name))
    vault = Vault(url, local.credential(), transport=local.transport())
    with pytest.raises(InvalidArgument, match="KeyClient"):
        _ = vault.secrets
    assert vault.keys
    assert vault.lane_status() == {}


def test_keys_in_an_hsm(doors: Doors, local: LocalKeyVault) -> None:
    """Its challenge names another audience, which the token is then for."""
    hsm = local.emulator.add_vault("pool", hsm=True)
    kind = doors.module("keys").KeyClient
    client = kind(hsm.url, local.credential(), transport=local.transport(doors.colour.name))
    key = doors.run(client.create_oct_key("aes", size=256, hardware_protected=True))
    assert key.key.kty == "oct-HSM"
    wrapped = doors.run(client.get_cryptography_client("aes").wrap_key("A256KW", bytes(32)))
    assert doors.run(doors.crypto(key.id).unwrap_key("A256KW", wrapped)).key == bytes(32)
    assert len(doors.run(client.get_random_bytes(16))) == 16
    assert all(lane.startswith("hsm:") for lane in client.lane_status())
    assert {entry.status for entry in local.journal} == {200, 401}
