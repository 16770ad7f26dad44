"""Columns of Arrow tables, and encrypted Parquet files, with keys in the emulator's vaults."""

from __future__ import annotations

import base64
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

pa = pytest.importorskip("pyarrow")

import pyarrow.parquet as pq  # noqa: E402

from safekv.envelope import DecryptionFailed, Encryptor, KeyNotAllowed, KeyRing  # noqa: E402
from safekv.errors import InvalidArgument  # noqa: E402
from safekv.integrations._batches import Batches  # noqa: E402
from safekv.integrations.arrow import (  # noqa: E402
    ParquetKeys,
    decrypt_array,
    decrypt_column,
    encrypt_array,
    encrypt_column,
    row_aad,
)
from safekv.testing import LocalKeyVault  # noqa: E402

KINDS = [pa.binary(), pa.large_binary(), pa.string(), pa.large_string()]


@pytest.fixture(scope="module")
def box() -> Iterator[Encryptor]:
    with LocalKeyVault() as local:
        local.vault().keys.create_rsa_key("app-kek", size=2048)
        yield Encryptor(KeyRing.create(local.url() + "/keys/app-kek"))


@pytest.fixture
def entered(local: LocalKeyVault) -> Iterator[LocalKeyVault]:
    """Every client reaches it; the vaults ``one`` and ``two`` have a key for Parquet files."""
    with local:
        for vault in ("one", "two"):
            local.vault(vault).keys.create_rsa_key("parquet", size=2048)
        yield local


def table(count: int = 4) -> Any:
    rows = [f"DE{number:020d}" for number in range(count)]
    return pa.table({"id": pa.array(range(count)), "iban": rows, "city": ["Jena"] * count})


# -- columns


def test_a_column_of_a_table_is_encrypted_and_the_others_are_not(box: Encryptor) -> None:
    plain = table()
    aad = row_aad(b"customers|iban", plain["id"])
    sealed = encrypt_column(plain, "iban", box, aad=aad)
    assert sealed.schema.names == plain.schema.names
    assert sealed["iban"].type == pa.binary()
    assert sealed["city"] == plain["city"]
    assert box.decrypt(sealed["iban"][2].as_py(), aad=b"customers|iban|2") == b"DE00000000000000000002"
    assert decrypt_column(sealed, "iban", box, aad=aad, type=pa.string()) == plain
    moved = sealed.take([1, 0, 2, 3])
    with pytest.raises(DecryptionFailed):
        decrypt_column(moved, "iban", box, aad=aad)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data(), kind=some.sampled_from(KINDS))
def test_any_array_comes_back(box: Encryptor, data: Any, kind: Any) -> None:
    text = kind in (pa.string(), pa.large_string())
    value = some.none() | (some.text(max_size=9) if text else some.binary(max_size=9))
    chunks = data.draw(some.lists(some.lists(value, max_size=6), max_size=3))
    start = data.draw(some.integers(0, 3))
    array = pa.chunked_array([pa.array(chunk, kind).slice(start) for chunk in chunks], kind)
    aad = [os.urandom(3) for _ in range(len(array))]
    sealed = encrypt_array(array, box, aad=aad)
    assert sealed.null_count == array.null_count
    assert decrypt_array(sealed, box, aad=pa.array(aad, pa.binary()), type=kind).to_pylist() == array.to_pylist()
    for chunk in array.chunks:
        assert decrypt_array(encrypt_array(chunk, box, aad=b""), box, aad=b"", type=kind).equals(chunk)


def test_more_rows_than_are_taken_at_once(box: Encryptor) -> None:
    array = pa.array([b"%d" % number for number in range(70_000)], pa.binary())
    aad = row_aad(b"t|c", pa.chunked_array([list(range(100)), list(range(100, 70_000))]))
    assert decrypt_array(encrypt_array(array, box, aad=aad), box, aad=aad).equals(array)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda box: encrypt_column(table(), "name", box, aad=b""), "no column 'name'"),
        (lambda box: encrypt_column(table(), "id", box, aad=b""), "int64"),
        (lambda box: encrypt_column(table(), "iban", box, aad=[b""]), "each of the 4 rows"),
        (lambda box: encrypt_column(table(), "iban", box, aad=None), "each of the 4 rows"),
        (lambda box: decrypt_array(pa.array([b""]), box, aad=b"", type=pa.int64()), "int64"),
        (lambda box: row_aad(b"t", pa.array([1.5])), "double"),
        (lambda box: row_aad(b"t", pa.array([1, None])), "null"),
        (lambda box: row_aad("t", pa.array([1])), "prefix"),
        (lambda box: Batches(box, {"id": b"t"}, row_id="id"), "cannot be encrypted and"),
        (lambda box: Batches(box, b"t", row_id=None), "dict"),
    ],
)
def test_what_cannot_be_is_refused(box: Encryptor, call: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        call(box)


def test_aad_has_no_default(box: Encryptor) -> None:
    with pytest.raises(TypeError, match="aad"):
        encrypt_column(table(), "iban", box)


def test_batches_travel_without_a_key(box: Encryptor) -> None:
    work = Batches(box, {"iban": b"customers|iban"}, row_id="id")
    back = Batches(box, {"iban": b"customers|iban"}, row_id="id", decrypt=True, types={"iban": pa.string()})
    data = pickle.dumps(work)
    assert not any(key.secret in data for key in box._ring.opened().keys.keys)
    assert len(data) < 5_000
    batches = table(10).to_batches(max_chunksize=3)
    sealed = list(pickle.loads(data)(iter(batches)))
    assert sealed[0].schema.field("iban").type == pa.binary()
    assert list(back(iter(sealed))) == batches


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
import pyarrow as pa
from safekv.envelope import Encryptor, KeyRing
from safekv.integrations.arrow import decrypt_array, encrypt_array
from safekv.testing import LocalKeyVault
with LocalKeyVault() as local:
    local.vault().keys.create_rsa_key("app-kek", size=2048)
    box, array = Encryptor(KeyRing.create(local.url() + "/keys/app-kek")), pa.array(["x", "a", None, ""])[1:]
    assert decrypt_array(encrypt_array(array, box, aad=b"t"), box, aad=b"t", type=pa.string()) == array
"""


def test_numpy_is_not_needed() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_NUMPY], check=True, timeout=60)


# -- Parquet


def asked(local: LocalKeyVault, since: int = 0) -> list[str]:
    return [str(entry.operation) for entry in list(local.journal)[since:] if entry.status != 401]


def test_a_hundred_files_are_two_vault_calls(entered: LocalKeyVault, tmp_path: Path) -> None:
    names = {"customers": entered.url("one") + "/keys/parquet"}
    keys, since = ParquetKeys(names), len(list(entered.journal))
    for number in range(100):
        options = keys.encryption(footer_key="customers", column_keys={"customers": ["iban"]})
        pq.write_table(table(), tmp_path / f"{number}.parquet", encryption_properties=options)
    assert asked(entered, since) == ["get_key", "unwrap_key"]
    assert b"DE0000" not in (tmp_path / "7.parquet").read_bytes()
    with pytest.raises(OSError, match="encrypted"):
        pq.read_table(tmp_path / "7.parquet")
    since = len(list(entered.journal))
    fresh = pickle.loads(pickle.dumps(keys))
    for number in range(100):
        file = pq.ParquetFile(tmp_path / f"{number}.parquet", decryption_properties=fresh.decryption())
        assert file.read() == table()
    assert asked(entered, since) == ["unwrap_key"]
    assert "customers" in repr(keys)
    keys.close()


def test_a_file_cannot_choose_the_key_that_is_asked(entered: LocalKeyVault, tmp_path: Path) -> None:
    theirs = ParquetKeys({"k": entered.url("two") + "/keys/parquet", "other": entered.url("one") + "/keys/parquet"})
    for footer in ("k", "other"):
        options = theirs.encryption(footer_key=footer, uniform_encryption=True)
        pq.write_table(table(), tmp_path / footer, encryption_properties=options)
    mine, since = ParquetKeys({"k": entered.url("one") + "/keys/parquet"}), len(list(entered.journal))
    with pytest.raises(KeyNotAllowed, match=r"two\.vault"):
        pq.ParquetFile(tmp_path / "k", decryption_properties=mine.decryption())
    with pytest.raises(KeyNotAllowed, match="'other'"):
        pq.ParquetFile(tmp_path / "other", decryption_properties=mine.decryption())
    assert asked(entered, since) == []


def test_double_wrapping_cannot_be_left_out(entered: LocalKeyVault) -> None:
    keys = ParquetKeys({"k": entered.url("one") + "/keys/parquet"})
    with pytest.raises(InvalidArgument, match="double_wrapping"):
        keys.encryption(footer_key="k", uniform_encryption=True, double_wrapping=False)
    with pytest.raises(KeyNotAllowed, match="'other'"):
        keys.encryption(footer_key="k", column_keys={"other": ["iban"]})
    for wrong in ({}, "https://one.vault.azure.net/keys/parquet"):
        with pytest.raises(InvalidArgument, match="dict"):
            ParquetKeys(wrong)
    assert asked(entered) == ["create_key"] * 2


def test_the_key_material_of_a_file_is_what_the_page_on_formats_says(entered: LocalKeyVault, tmp_path: Path) -> None:
    """Down to the file's own key, by the vault and AES-GCM alone; and the vector opens in the same way."""
    keys = ParquetKeys({"customers": entered.url("one") + "/keys/parquet"})
    options = keys.encryption(footer_key="customers", column_keys={"customers": ["iban"]})
    pq.write_table(table(), tmp_path / "file", encryption_properties=options)
    found = re.findall(rb'\{"keyMaterialType":"PKMT1".*?\}"\}', (tmp_path / "file").read_bytes())
    assert found  # of the footer; that of the column is in the encrypted footer
    vector = json.loads(Path(__file__).parents[1].joinpath("vectors", "envelope.json").read_text("utf-8"))["parquet"]
    material, example = json.loads(found[-1]), json.loads(vector["key_material"])
    assert material.keys() == example.keys()
    assert all(material[name] == example[name] for name in material if not name.startswith(("wrapped", "keyEnc")))
    wrapped = json.loads(material["wrappedKEK"])
    assert wrapped.keys() == json.loads(example["wrappedKEK"]).keys()
    crypto = entered.vault("one").crypto("parquet", version=wrapped["kid"].rpartition("/")[2])
    encrypted = base64.urlsafe_b64decode(wrapped["encrypted_key"] + "==")
    key = crypto.unwrap_key(wrapped["alg"], encrypted).key
    sealed, key_id = (base64.b64decode(material[name]) for name in ("wrappedDEK", "keyEncryptionKeyID"))
    assert len(AESGCM(key).decrypt(sealed[:12], sealed[12:], key_id)) == 16


def test_the_published_key_material_opens(entered: LocalKeyVault) -> None:
    """With the vector's key-encryption key, which no vault has."""
    from safekv.integrations._parquet import _unwrap
    from safekv.integrations._unwrapped import Unwrapped

    vectors = json.loads(Path(__file__).parents[1].joinpath("vectors", "envelope.json").read_text("utf-8"))

    class OfTheVector:
        address = vectors["kek"]["kid"].rpartition("/")[0]

        def is_mine(self, kid: str) -> bool:
            return kid == vectors["kek"]["kid"]

        def unwrap(self, algorithm: str, kid: str, encrypted_key: bytes) -> bytes:
            assert algorithm == "A256KW"
            return aes_key_unwrap(bytes.fromhex(vectors["kek"]["secret"]), encrypted_key)

    wrapped = json.loads(vectors["parquet"]["key_material"])["wrappedKEK"]
    kek: Any = OfTheVector()
    assert _unwrap(kek, wrapped, Unwrapped()).hex() == vectors["parquet"]["kek"]
