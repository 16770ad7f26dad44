"""The report on benchmarks is made of results alone, and no page names a figure that it does not have."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HERE))  # the benchmarks live beside the package, not in it

from benchmarks import report  # noqa: E402
from benchmarks.figures import Claim, Figures, figure, number  # noqa: E402
from benchmarks.markers import MARKED, TAKEN, known, naked, pages, rewrite  # noqa: E402
from benchmarks.page import page, write  # noqa: E402

DOCS = HERE / "docs"
TITLES = {each.name: each.title for each in report.BENCHMARKS}


def canned(quick: bool = False) -> dict[str, Any]:
    figures = Figures()
    figures.claim("hit", "a hit: CPU", 0.7649, goal=1.0, unit="µs", peer="a dict")
    figures.claim("kept", "memory", 20.4, goal=15, unit="MB")
    figures.claim("speed", "times as fast", None, goal=10, least=True, unit="×", peer="what is not installed")
    rows = [("safekv", 0.7649, 1_290_000), ("a | dict", 1.37, None)]
    figures.table("hits", "One hot secret", ("µs", "reads/s"), rows, bars="µs", note="In turn.")
    about = {
        "when": "2026-01-02",
        "quick": quick,
        "seconds": 3.0,
        "load": 0.1,
        "machine": {"processor": "Some CPU", "cores": 2, "system": "Linux 6", "python": "3.11.7"},
        "versions": {"safekv": "1", "cryptography": "50.0.2"},
    }
    failed = {**about, "error": "tink is not installed", "claims": [], "tables": []}
    return {"cache": {**about, "error": "", **figures.to_dict()}, "envelope": failed}


def test_a_page_has_every_claim_with_its_goal_and_every_failure() -> None:
    text = page(json.loads(json.dumps(canned())), TITLES)
    assert "| a hit: CPU | 0.765 µs | ≤ 1 µs | met | a dict |" in text
    assert "| memory | 20.4 MB | ≤ 15 MB | **not met** |  |" in text
    assert "| times as fast | not measured | ≥ 10 × |  | what is not installed |" in text
    assert "| Encrypting here | could not be measured: tink is not installed | | | |" in text
    assert "| Spark | not measured yet | | | |" in text
    assert "1 of 2 goals are met" in text
    assert "| a \\| dict | 1.37 |  |" in text
    assert "![One hot secret](benchmarks/cache-hits.svg)" in text
    assert "Measured on 2026-01-02, on 2 cores of Some CPU, Linux 6, Python 3.11.7." in text
    assert "| cryptography | 50.0.2 |" in text
    assert "quick look" not in text
    assert "quick look" in page(canned(quick=True), TITLES)
    assert "not measured yet" in page({}, TITLES)


def test_the_same_results_give_the_same_page_and_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    made = []
    for name in ("one", "two"):
        docs = tmp_path / name
        docs.joinpath("benchmarks").mkdir(parents=True)
        docs.joinpath("benchmarks", "of-before.svg").write_text("<svg/>")
        write(canned(), docs, TITLES)
        made.append({path.relative_to(docs): path.read_bytes() for path in sorted(docs.rglob("*")) if path.is_file()})
    assert made[0] == made[1]
    assert sorted(map(str, made[0])) == ["benchmarks.md", "benchmarks/cache-hits.svg"]
    plot = made[0][Path("benchmarks/cache-hits.svg")].decode()
    assert "a | dict" in plot
    assert "1.37" in plot
    assert "<dc:date>" not in plot
    assert len(plot) < 50_000


@pytest.mark.parametrize(
    ("measured", "goal", "least", "met"),
    [(1.004, 1.0, False, True), (1.01, 1.0, False, False), (0.9996, 1.0, True, True), (None, 1, True, None)],
)
def test_a_goal_is_met_by_the_figure_that_is_shown(measured: Any, goal: Any, least: bool, met: Any) -> None:
    assert Claim("x", "x", measured, goal=goal, least=least).met is met


def test_numbers() -> None:
    shown = [number(value) for value in (0.76492, 12.345, 123.4, 1_290_000, 3.0, "local", None, 0.000123)]
    assert shown == ["0.765", "12.3", "123", "1,290,000", "3", "local", "", "0.000123"]
    assert figure(Claim("x", "x", None)) == "not measured"


def test_a_benchmark_that_fails_or_hangs_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "WORK", tmp_path)
    monkeypatch.setattr(report, "NAMES", ("gone",))
    missing = report.Benchmark("gone", "no_such_module", "Gone")
    found = report.attempt(missing, quick=True)
    assert "gone" in found["error"]  # the process of its own does not know it either
    assert found["claims"] == []
    assert (
        "not done after 0 s" in report.attempt(report.Benchmark("imports", "imports", "x", 0.01), quick=True)["error"]
    )


def test_what_was_measured_is_written_down_at_once_and_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "WORK", tmp_path)
    asked: list[str] = []

    def attempt(each: report.Benchmark, quick: bool) -> dict[str, Any]:
        asked.append(each.name)
        if each.name == "startup" and asked.count("startup") == 1:
            raise KeyboardInterrupt
        return {**canned()["cache"], "error": "broken" if each.name == "cache" else ""}

    monkeypatch.setattr(report, "attempt", attempt)
    names = ("imports", "cache", "startup")
    with pytest.raises(KeyboardInterrupt):
        report.run(names, quick=True, resume=False)
    assert asked == ["imports", "cache", "startup"]
    found = report.run(names, quick=True, resume=True)
    assert asked[3:] == ["cache", "startup"]  # what failed is tried again
    assert set(found) == set(names)


def test_what_is_chosen_must_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        report.main(["--only", "cache,nonsense"])
    assert "nonsense" in capsys.readouterr().err


def test_the_report_brings_pages_up_to_date(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    given = (
        "costs <!-- bench:cache.hit -->9 µs<!-- /bench -->.\n\n<!-- bench:cache.hits -->old<!-- /bench -->\n"
        "<!-- bench:cache.goals --><!-- /bench -->"
        "<!-- bench:envelope.one -->1 ×<!-- /bench -->\n"
    )
    (docs / "cache.md").write_text(given)
    assert rewrite(canned(quick=True), docs) == []
    assert rewrite(canned(), docs) == [docs / "cache.md"]
    text = (docs / "cache.md").read_text("utf-8")
    assert "costs <!-- bench:cache.hit -->0.765 µs<!-- /bench -->." in text
    assert "| safekv | 0.765 | 1,290,000 |\n" in text
    assert "| memory | 20.4 MB | ≤ 15 MB | **not met** |\n" in text
    assert "<!-- bench:envelope.one -->1 ×<!-- /bench -->" in text
    assert rewrite(canned(), docs) == []


# -- the documentation as it is


RESULTS = report.load(DOCS / "benchmarks" / "results.json")


def test_the_page_is_the_one_that_the_results_give() -> None:
    assert DOCS.joinpath("benchmarks.md").read_text("utf-8") == page(RESULTS, TITLES)


@pytest.mark.parametrize("path", list(pages(DOCS)), ids=lambda path: path.name)
def test_a_page_names_only_figures_of_the_report(path: Path) -> None:
    text = path.read_text("utf-8")
    assert naked(text) == [], "figures about speed and size belong between markers: see benchmarks/markers.py"
    texts = known(RESULTS)
    for found in MARKED.finditer(text):
        assert found["name"] in texts, f"no benchmark measures {found['name']}"
        if not RESULTS[found["name"].partition(".")[0]]["quick"]:
            assert found["text"] == texts[found["name"]], "run `python -m benchmarks.report --render`"
        if "\n" not in found["text"]:  # a comment that begins a line ends a paragraph
            assert text[: found.start()].rpartition("\n")[2].strip() not in ("", "-")
    for found in TAKEN.finditer(text):
        there = HERE.joinpath(found["file"]).read_text("utf-8")
        for line in found["text"].strip().splitlines()[2:]:
            assert all(cell.strip() in there for cell in line.strip("|").split("|")), line


@pytest.mark.parametrize(
    "text",
    [
        "is 12 × as fast",
        "four times as fast as the SDK",
        "3.2 times faster",
        "costs 5 µs",
        "less than a microsecond",
        "7.9 GB/s",
        "0.5 ms per file",
        "400,000 rows/s",
        "40 % faster",
    ],
)
def test_naked_figures_are_found(text: str) -> None:
    assert naked(text)
    assert not naked(f"<!-- bench:a.b -->{text}<!-- /bench -->")
    assert not naked(f"```text\n{text}\n```\n")


@pytest.mark.parametrize("text", ["again, 3 times", "400 a second", "each takes 20 ms", "1 MiB segments", "80 % of it"])
def test_limits_and_settings_are_no_figures(text: str) -> None:
    assert not naked(text)
