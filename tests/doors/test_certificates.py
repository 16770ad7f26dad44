"""Certificates as users need them: made as fast as the vault says, and with their private keys."""

from __future__ import annotations

import os
import pickle
import ssl
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from azure.keyvault.certificates import CertificateContentType, CertificateOperation, CertificatePolicy
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from key_doors import Doors, outcome

from safekv.certificates import CertificateWithKey
from safekv.emulator import EmulatorSettings
from safekv.errors import AccessDenied, DeadlineExceeded, InvalidArgument, PrivateKeyUnavailable
from safekv.testing import LocalKeyVault

EC: dict[str, Any] = {"key_type": "EC", "key_curve_name": "P-256", "san_dns_names": ["my.example"]}


def policy(**options: Any) -> CertificatePolicy:
    return CertificatePolicy("Self", subject="CN=my.example", **{**EC, **options})


def create(doors: Doors, name: str = "tls", **options: Any) -> Any:
    return doors.wait(doors.certificates(), "create_certificate", name, policy(**options))


# -- creation


def test_the_vault_says_when_to_look_again(doors: Doors, local: LocalKeyVault) -> None:
    """It asks for 10 s; the SDK looks at once, and then every 5 s."""
    began = local.emulator.clock.time()
    certificate = create(doors)
    assert certificate.name == "tls"
    looks = [each for each in local.journal if each.operation == "get_certificate_operation" and each.status == 200]
    assert [round(each.time - began) for each in looks] == [10]


def test_a_creation_that_does_not_end(doors: Doors) -> None:
    local = LocalKeyVault(settings=EmulatorSettings(issue_delay=10_000.0))
    doors = Doors(doors.colour, local)
    began = local.emulator.clock.time()

    def call() -> Any:
        options = {"timeout": 60}
        if doors.colour.loop is None:
            return doors.certificates().begin_create_certificate("tls", policy(), **options).result()
        return doors.run(doors.certificates().create_certificate("tls", policy(), **options))

    with pytest.raises(DeadlineExceeded, match="create_certificate"):
        call()
    assert local.emulator.clock.time() - began <= 60


def test_an_unknown_issuer_is_not_waited_for(doors: Doors) -> None:
    result = doors.wait(doors.certificates(), "create_certificate", "tls", CertificatePolicy("Unknown", subject="CN=a"))
    assert isinstance(result, CertificateOperation)
    assert result.csr


def test_failures_that_pass_do_not_end_it(doors: Doors, local: LocalKeyVault) -> None:
    local.fail(operation="get_certificate_operation", status=503, count=4)
    assert create(doors).name == "tls"


@pytest.mark.parametrize("given", [CertificatePolicy("Self"), "Self", None])
def test_a_policy_that_names_nobody(doors: Doors, local: LocalKeyVault, given: Any) -> None:
    error = outcome(lambda: doors.wait(doors.certificates(), "create_certificate", "tls", given))
    assert isinstance(error, InvalidArgument)
    assert not list(local.journal)


# -- private keys


@pytest.mark.parametrize("content_type", list(CertificateContentType))
def test_the_certificate_with_its_key(doors: Doors, content_type: CertificateContentType) -> None:
    created = create(doors, content_type=content_type)
    found = doors.run(doors.certificates().get_private_key("tls"))
    assert found.certificate.public_bytes(Encoding.DER) == bytes(created.cer)
    assert found.private_key.public_key() == found.certificate.public_key()
    assert found.version == created.properties.version
    create(doors)
    assert doors.run(doors.certificates().get_private_key("tls", found.version)).certificate == found.certificate
    assert doors.run(doors.certificates().get_private_key("tls")).certificate != found.certificate


def test_it_is_kept_like_any_secret(doors: Doors, local: LocalKeyVault) -> None:
    create(doors)
    client = doors.certificates()
    first = doors.run(client.get_private_key("tls"))
    since = doors.mark()
    assert doors.run(client.get_private_key("tls")).certificate == first.certificate
    assert doors.asked(since) == []
    create(doors)
    assert doors.run(client.get_private_key("tls")).version != first.version


def test_it_shows_no_key(doors: Doors) -> None:
    create(doors)
    found = doors.run(doors.certificates().get_private_key("tls"))
    assert repr(found) == f"<CertificateWithKey 'tls' version {found.version}>"
    with pytest.raises(TypeError, match="private key"):
        pickle.dumps(found)


def test_secrets_may_not_be_read(doors: Doors, local: LocalKeyVault) -> None:
    create(doors)
    local.fail(operation="get_secret", error="403_rbac", count=None)
    with pytest.raises(PrivateKeyUnavailable, match="permission to get secrets") as caught:
        doors.run(doors.certificates().get_private_key("tls"))
    assert isinstance(caught.value, AccessDenied)
    assert (caught.value.status_code, caught.value.inner_code) == (403, "ForbiddenByRbac")


def test_a_key_that_does_not_leave_the_vault(doors: Doors) -> None:
    create(doors, exportable=False)
    with pytest.raises(PrivateKeyUnavailable, match="not exportable"):
        doors.run(doors.certificates().get_private_key("tls"))


@pytest.mark.parametrize("content_type", [None, "application/x-pkcs12", "application/x-pem-file"])
def test_a_secret_of_another_kind(doors: Doors, local: LocalKeyVault, content_type: str | None) -> None:
    local.set_secret("other", "hunter2", content_type=content_type)
    with pytest.raises(InvalidArgument) as caught:
        doors.run(doors.certificates().get_private_key("other"))
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__ and ''}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_ssl_context_leaves_no_file(doors: Doors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    create(doors)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    handshake(doors.run(doors.certificates().load_ssl_context("tls", server_side=True)), doors)
    assert not list(tmp_path.iterdir())
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert doors.run(doors.certificates().load_ssl_context("tls", context=mine)) is mine


def test_where_there_are_no_files_in_memory(doors: Doors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is on the disk for a moment is for its owner only, and encrypted."""
    create(doors)
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = doors.run(doors.certificates().get_private_key("tls"))
    context = Spying(ssl.PROTOCOL_TLS_SERVER)
    found.load_into(context)
    handshake(context, doors)
    mode, parent, content = context.seen
    assert (mode, parent) == (0o600, 0o700)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
    assert not list(tmp_path.iterdir())


class Spying(ssl.SSLContext):
    """Notes what it is given to load."""

    seen: tuple[int, int, bytes]

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        file = Path(certfile)
        self.seen = (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode), file.read_bytes())
        super().load_cert_chain(certfile, keyfile, password)


def handshake(server: ssl.SSLContext, doors: Doors) -> None:
    """A client that trusts the certificate talks to a server that has it."""
    found: CertificateWithKey = doors.run(doors.certificates().get_private_key("tls"))
    client = ssl.create_default_context(cadata=found.certificate.public_bytes(Encoding.PEM).decode())
    client.check_hostname = False
    client.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    ends = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(ends[0], ends[1])
    other = server.wrap_bio(ends[1], ends[0], server_side=True)
    waiting = [one, other]
    for _ in range(10):
        for each in list(waiting):
            with suppress(ssl.SSLWantReadError):
                each.do_handshake()
                waiting.remove(each)
    assert not waiting
    assert one.getpeercert(binary_form=True) == found.certificate.public_bytes(Encoding.DER)


def test_saved_for_its_owner_only(doors: Doors, tmp_path: Path) -> None:
    create(doors)
    found = doors.run(doors.certificates().get_private_key("tls"))
    file = tmp_path / "tls.pem"
    found.save(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_pem_private_key(file.read_bytes(), None).public_key() == found.certificate.public_key()
    assert x509.load_pem_x509_certificates(file.read_bytes())[0] == found.certificate
    with pytest.raises(FileExistsError):
        found.save(file)
    found.save(tmp_path / "sealed.pem", b"password")
    assert load_pem_private_key((tmp_path / "sealed.pem").read_bytes(), b"password")


def test_it_is_on_the_same_connection(doors: Doors, local: LocalKeyVault) -> None:
    create(doors)
    client = doors.certificates()
    doors.run(client.get_private_key("tls"))
    assert local.credential().requests == 1
    connection = client._lease.connection
    assert doors.colour.client(local)._lease.connection is connection
    doors.run(doors.colour.client(local).close())
    doors.run(doors.colour.client(local).close())
    leases = client._lease.leases
    for _ in range(leases):
        doors.run(client.close())


def test_no_bytes_of_a_file(doors: Doors, local: LocalKeyVault) -> None:
    for given in ("text", b"", None):
        with pytest.raises(InvalidArgument, match="PFX or PEM"):
            doors.run(doors.certificates().import_certificate("tls", given))
    assert not list(local.journal)
