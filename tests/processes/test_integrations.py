"""Worker processes that share a ring, and azure-storage-blob's own encryption, against real servers."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from safekv.emulator import EmulatorServer, EmulatorTransport
from safekv.envelope import Encryptor, KeyNotAllowed, KeyRing, RingSettings
from safekv.errors import InvalidArgument
from safekv.keys import KeyClient
from safekv.testing import LocalCredential

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def vault() -> Iterator[EmulatorServer]:
    with EmulatorServer(vaults=("one",)) as running:
        credential, transport = LocalCredential(running.emulator), EmulatorTransport(running.emulator)
        with KeyClient(running.vault_urls["one"], credential, transport=transport) as client:
            for name in ("app-kek", "storage"):
                client.create_rsa_key(name, size=2048)
        yield running


@pytest.fixture
def environment(vault: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> EmulatorServer:
    for name, value in vault.environment().items():
        monkeypatch.setenv(name, value)
    return vault


def asked(server: EmulatorServer, since: int = 0) -> list[str]:
    return [str(entry.operation) for entry in list(server.emulator.journal)[since:] if entry.status == 200]


# -- workers


def work(task: tuple[bytes, list[Any]]) -> tuple[int, list[Any]]:
    """What each task brings along, as in Spark: the pickle of what to do, and its data."""
    from_pickle, batches = task
    return os.getpid(), list(pickle.loads(from_pickle)(iter(batches)))


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_worker_process_unwraps_a_ring_once(environment: EmulatorServer, method: str) -> None:
    pa = pytest.importorskip("pyarrow")
    from safekv.integrations._batches import Batches

    kek = environment.vault_urls["one"] + "/keys/app-kek"
    text = KeyRing.create(kek).to_json()
    ring = KeyRing(text, kek, settings=RingSettings(spread=0.05))
    box = Encryptor(ring)
    batch = pa.record_batch({"id": list(range(100)), "iban": [b"DE%d" % number for number in range(100)]})
    sealed = Batches(box, {"iban": b"customers|iban"}, row_id="id")
    since = len(list(environment.emulator.journal))
    with multiprocessing.get_context(method).Pool(2) as pool:
        answers = pool.map(work, [(pickle.dumps(sealed), [batch] * 2)] * 8, chunksize=1)
    workers = {pid for pid, _ in answers}
    assert asked(environment, since).count("unwrap_key") == len(workers)
    back = Batches(box, {"iban": b"customers|iban"}, row_id="id", decrypt=True)
    assert [it for _, made in answers for it in back(iter(made))] == [batch] * 16
    nonces = [value.as_py()[5:29] for _, made in answers for it in made for value in it.column("iban")]
    assert len(set(nonces)) == len(nonces) == 1600


def test_dask_workers_unwrap_a_ring_once(environment: EmulatorServer) -> None:
    dask = pytest.importorskip("dask")
    kek = environment.vault_urls["one"] + "/keys/app-kek"
    ring = KeyRing(KeyRing.create(kek).to_json(), kek, settings=RingSettings(spread=0.05))
    box, rows = Encryptor(ring), [b"DE%d" % number for number in range(100)]
    since = len(list(environment.emulator.journal))
    tasks = [dask.delayed(of_dask)(box, rows, b"customers|iban") for _ in range(8)]
    answers = dask.compute(*tasks, scheduler="processes", num_workers=2)
    workers = {pid for pid, _ in answers}
    assert os.getpid() not in workers
    assert asked(environment, since).count("unwrap_key") == len(workers)
    assert all(box.decrypt_many(tokens, b"customers|iban") == rows for _, tokens in answers)


def of_dask(box: Encryptor, rows: list[bytes], aad: bytes) -> tuple[int, list[bytes]]:
    return os.getpid(), box.encrypt_many(rows, aad)


def test_columns_of_a_dask_data_frame(environment: EmulatorServer) -> None:
    """With pyarrow's binary type: left alone, Dask takes bytes for text, and the tokens would be damaged."""
    pytest.importorskip("dask")
    pandas, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    dd = pytest.importorskip("dask.dataframe")
    box = Encryptor(KeyRing.create(environment.vault_urls["one"] + "/keys/app-kek"))
    frame = pandas.DataFrame({"id": range(20), "iban": [f"DE{number}" for number in range(20)]})
    binary = pandas.ArrowDtype(pa.binary())

    def sealed(part: Any) -> Any:
        aads = [b"customers|iban|%d" % number for number in part["id"]]
        tokens = box.encrypt_many([text.encode() for text in part["iban"]], aads)
        return part.assign(iban=pandas.Series(tokens, index=part.index, dtype=binary))

    meta = {"id": "int64", "iban": binary}
    made = dd.from_pandas(frame, npartitions=2).map_partitions(sealed, meta=meta).compute(scheduler="sync")
    back = box.decrypt_many(list(made["iban"]), [b"customers|iban|%d" % number for number in made["id"]])
    assert [it.decode() for it in back] == list(frame["iban"])


# -- blobs


class Blobs(BaseHTTPRequestHandler):
    """As much of the blob service as a client needs to write one and read it in parts."""

    protocol_version = "HTTP/1.1"
    blob, metadata = b"", {}

    def do_PUT(self) -> None:
        type(self).blob = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).metadata = {name: value for name, value in self.headers.items() if name.startswith("x-ms-meta-")}
        self._answer(201, b"")

    def do_GET(self) -> None:
        first, last = self.headers["x-ms-range"].removeprefix("bytes=").split("-")
        part = self.blob[int(first) : int(last) + 1]
        end = int(first) + len(part) - 1
        self._answer(206, part, **{"Content-Range": f"bytes {first}-{end}/{len(self.blob)}", **self.metadata})

    def do_HEAD(self) -> None:
        self._answer(200, b"", **self.metadata)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        always = {"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "x-ms-blob-type": "BlockBlob"}
        for name, value in {"Content-Length": str(len(body)), **always, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


@pytest.fixture
def blob_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blobs)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/account/container/blob"
    server.shutdown()
    thread.join()
    server.server_close()


def options(kek: Any) -> dict[str, Any]:
    return {
        "credential": "YWNjb3VudC1rZXk=",
        "require_encryption": True,
        "encryption_version": "2.0",
        "key_encryption_key": kek,
        "key_resolver_function": kek.resolve,
        "max_single_get_size": 1 << 20,
        "max_chunk_get_size": 1 << 20,
    }


def test_a_blob_is_read_with_one_unwrapping(environment: EmulatorServer, blob_url: str) -> None:
    blobs = pytest.importorskip("azure.storage.blob")
    from safekv.integrations.storage import StorageKey

    content = os.urandom(9 << 20)

    def client(kek: StorageKey) -> Any:
        return blobs.BlobClient.from_blob_url(blob_url, **options(kek))

    kek = StorageKey(environment.vault_urls["one"] + "/keys/storage")
    since = len(list(environment.emulator.journal))
    with client(kek) as blob:
        blob.upload_blob(content)
        assert content[:40] not in Blobs.blob
        assert blob.download_blob().readall() == content
    assert asked(environment, since) == ["get_key", "unwrap_key"]
    since = len(list(environment.emulator.journal))
    with client(pickle.loads(pickle.dumps(kek))) as blob:
        assert blob.download_blob().readall() == content
    assert asked(environment, since) == ["unwrap_key"]
    other = StorageKey(environment.vault_urls["one"] + "/keys/app-kek")
    with client(other) as blob, pytest.raises(HttpResponseError, match="Decryption"):
        blob.download_blob().readall()
    assert asked(environment, since) == ["unwrap_key"]
    for each in (kek, other):
        each.close()


def test_an_event_loop_does_not_wait_for_the_vault(environment: EmulatorServer, blob_url: str) -> None:
    blobs = pytest.importorskip("azure.storage.blob.aio")
    from safekv.integrations.storage import StorageKey

    content = os.urandom(900_000)  # aiohttp warns of more in one piece

    async def main() -> None:
        kek = StorageKey(environment.vault_urls["one"] + "/keys/storage")
        await kek.prepare()
        since = len(list(environment.emulator.journal))
        async with blobs.BlobClient.from_blob_url(blob_url, **options(kek)) as blob:
            await blob.upload_blob(content)
            assert asked(environment, since) == []
        other = pickle.loads(pickle.dumps(kek))
        async with blobs.BlobClient.from_blob_url(blob_url, **options(other)) as blob:
            await other.prepare((await blob.get_blob_properties()).metadata)
            assert asked(environment, since) == ["unwrap_key"]
            assert await (await blob.download_blob()).readall() == content
        assert asked(environment, since) == ["unwrap_key"]
        for metadata in ({}, {"encryptiondata": "{}"}, {"encryptiondata": '{"WrappedContentKey": 1}'}):
            with pytest.raises(InvalidArgument, match="metadata"):
                await kek.prepare(metadata)
        for each in (kek, other):
            each.close()

    asyncio.run(main())


def test_what_a_storage_key_refuses(environment: EmulatorServer) -> None:
    from safekv.integrations.storage import StorageKey

    kek = StorageKey(environment.vault_urls["one"] + "/keys/storage")
    with pytest.raises(InvalidArgument, match="resolver"):
        kek.get_kid()
    wrapped = kek.wrap_key(bytes(40))
    assert kek.unwrap_key(wrapped, kek.get_key_wrap_algorithm()) == bytes(40)
    with pytest.raises(InvalidArgument, match="RSA1_5"):
        kek.resolve(kek.get_kid()).unwrap_key(wrapped, "RSA1_5")
    with pytest.raises(KeyNotAllowed):
        kek.resolve("https://evil.example/keys/storage/1")
    with pytest.raises(InvalidArgument, match="ttl"):
        StorageKey("https://my-vault.vault.azure.net/keys/storage", ttl=0)
    assert "storage" in repr(kek)
