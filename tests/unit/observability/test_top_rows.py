"""From looks to rows: windows, several processes, and the picture."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

pytest.importorskip("rich")

from rich.console import Console

from safekv.cli.watching._rows import Shown, shown
from safekv.cli.watching._sources import Processes
from safekv.cli.watching._view import picture
from safekv.cli.watching._window import Late, Look, Window, together


def counts(requests: int, **more: object) -> dict[str, object]:
    return {"requests": {"vault": {"get_secret": {"200": requests}}}, **more}


def look(time: float, requests: int, began: float = 0.0) -> Look:
    return Look(began, time, counts(requests), {})


def requests_in(late: Late) -> int:
    return sum(row.traffic.requests for row in shown(late).vaults)


def test_a_young_process_is_shown_from_its_beginning() -> None:
    window = Window()
    window.add(look(10, 50))
    window.add(look(20, 70))
    late = window.late()
    assert (late.seconds, requests_in(late)) == (20, 70)


def test_an_old_one_by_its_last_minute() -> None:
    window = Window()
    for second in range(1_000, 1_100):
        window.add(look(second, 5 * second))
    late = window.late()
    assert (late.seconds, requests_in(late)) == (60, 300)
    (row,) = shown(late).vaults
    assert row.traffic.per_second == 5
    assert len(window._looks) <= 62


def test_a_process_that_begins_again_is_a_new_one() -> None:
    window = Window()
    window.add(look(1_000, 5_000))
    window.add(look(1_010, 3, began=1_005.0))
    assert requests_in(window.late()) == 3


def test_processes_add_up() -> None:
    lanes = {"lanes": {"vault": {"secrets": {"rate": 2.5, "waiting": 1}, "keys": {"rate": None, "waiting": 0}}}}
    one = Late(10, counts(5, cache={"vault": {"hits": 3, "misses": 1}}), {**lanes, "kept": {"vault": 2}})
    (row,) = shown(together([one, one])).vaults
    assert (row.traffic.requests, row.traffic.per_second, row.cache_hits, row.kept) == (10, 1.0, 0.75, 4)
    assert [(lane.name, lane.rate, lane.waiting) for lane in row.lanes] == [("keys", None, 0), ("secrets", 5.0, 2)]


def drawn(what: Shown, title: str = "somebody", width: int = 120) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(picture(what, title))
    return out.getvalue()


@pytest.mark.parametrize(
    ("pids", "said"),
    [
        ((4711,), "process 4711 does not publish numbers here: call safekv.observability.publish() in it"),
        ((4711, 4712), "processes 4711, 4712 do not publish numbers here: call safekv.observability.publish() in them"),
        ((), "no process publishes numbers here: call safekv.observability.publish() in it"),
    ],
)
def test_who_publishes_nothing_is_told_so(tmp_path: Path, pids: tuple[int, ...], said: str) -> None:
    (tmp_path / "numbers").mkdir(mode=0o700)
    processes = Processes(tmp_path / "numbers", pids)
    processes.look()
    assert processes.title() == said


def test_the_picture() -> None:
    late = Late(
        10,
        {
            "requests": {"vault": {"get_secret": {"200": 40, "429": 2}, "set_secret": {"503": 1}}},
            "seconds": {"vault": {"get_secret": {"20": 41, "60": 1}}},
            "throttled": {"vault": 2},
            "cache": {"vault": {"hits": 99, "misses": 1, "stale": 0, "negative": 0}},
            "tokens": {"fetched": 1},
        },
        {"lanes": {"vault": {"secrets": {"rate": 12.5, "waiting": 3}}}},
    )
    text = drawn(shown(late))
    for part in ("get_secret", "4.2", "200:40 429:2", "503:1", "32 ms", "99.0%", "lane secrets: 12.5/s, 3 waiting"):
        assert part in text
    assert drawn(shown(Late(0, {}, {})))


def test_a_narrow_terminal_still_shows_what_it_is_about() -> None:
    text = drawn(shown(Late(10, {"requests": {"vault": {"get_secret": {"200": 40}}}}, {})), width=50)
    assert "get_secret" in text


def test_what_others_chose_reaches_the_terminal_as_text() -> None:
    hostile = "\x1b[31m[bold]GET"
    text = drawn(shown(Late(1, {"requests": {hostile: {hostile: {hostile: 1}}}}, {})), hostile)
    assert "\x1b" not in text
    assert "[bold]GET" in text
