"""The journal: what was asked and how it ended, and nothing that is secret."""

from __future__ import annotations

import threading

from emulator_wire import START, Wire

from safekv.emulator import EmulatorSettings, JournalEntry, Network, Request


def test_an_entry() -> None:
    wire = Wire()
    headers = {"authorization": "Bearer t", "x-ms-client-request-id": "abc"}
    wire.emulator.handle(Request("GET", "my.vault.azure.net", "/secrets/name", {"api-version": "7.6"}, headers))
    assert list(wire.emulator.journal) == [
        JournalEntry("GET", "my.vault.azure.net", "/secrets/name", 404, START, "abc", "get_secret", None, True)
    ]


def test_how_it_ends() -> None:
    wire = Wire()
    wire.emulator.fail(operation="get_secret", error="429", nth=1)
    wire.emulator.fail(operation="get_secret", network=Network.TRUNCATED, nth=1)
    wire.emulator.fail(operation="get_secret", delay=1, nth=1)
    for _ in range(4):
        wire.send("GET", "/secrets/name")
    wire.send("GET", "/nowhere")
    wire.vault.authority = "gone.vault.azure.net"
    wire.send("GET", "/secrets/name")
    assert [(each.status, each.fault, each.operation) for each in wire.emulator.journal] == [
        (429, "429", "get_secret"),
        (None, "truncated", "get_secret"),
        (404, "delay", "get_secret"),
        (404, None, "get_secret"),
        (400, None, None),
        (None, "dns", None),
    ]


def test_nothing_secret_is_in_it() -> None:
    wire = Wire()
    wire.token = "TOP-token"
    wire.put("/secrets/name", {"value": "TOP-value", "tags": {"a": "TOP-tag"}})
    wire.get("/secrets/name", query="TOP-query")
    wire.vault.set_secret("other", "TOP-value")
    emulator = wire.emulator
    shown = [repr(each) for each in emulator.journal]
    shown += [
        repr(emulator),
        repr(wire.vault),
        repr(list(wire.vault.secrets)),
        repr(vars(emulator)),
        repr(vars(wire.vault)),
    ]
    assert "TOP" not in "".join(shown)


def test_it_has_a_bound() -> None:
    wire = Wire(EmulatorSettings(journal_size=3))
    for number in range(5):
        wire.get(f"/secrets/s{number}")
    wire.get("/secrets/" + "x" * 5_000)
    entries = list(wire.emulator.journal)
    assert [entry.path[:11] for entry in entries] == ["/secrets/s3", "/secrets/s4", "/secrets/xx"]
    assert len(entries[-1].path) == 513
    wire.emulator.journal.clear()
    assert len(wire.emulator.journal) == 0


def test_many_threads_at_once() -> None:
    wire = Wire()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            wire.put("/secrets/name", {"value": "v"})
            wire.get("/secrets/name")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    counts = [len(list(wire.emulator.journal)) for _ in range(200)]
    stop.set()
    for thread in threads:
        thread.join()
    assert counts == sorted(counts)
    assert {each.status for each in wire.emulator.journal} <= {200, 429}


def test_reset_empties_everything_but_the_list_of_vaults() -> None:
    wire = Wire()
    secrets = wire.vault.secrets
    wire.put("/secrets/name", {"value": "v"})
    wire.emulator.fail(status=500, count=None)
    wire.emulator.reset()
    assert (len(secrets), len(wire.emulator.journal), wire.emulator.faults) == (0, 0, ())
    assert wire.get("/secrets").json["value"] == []
