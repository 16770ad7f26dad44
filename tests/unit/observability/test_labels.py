"""Labels: they tell apart what is few, and put together what is many."""

from __future__ import annotations

from safekv.observability._labels import OTHER, Bounded


def test_what_is_too_many_is_other_and_stays_what_it_was() -> None:
    label = Bounded(3)
    assert [label(text) for text in ("a", "b", "a", "c", "d", "a", "d")] == ["a", "b", "a", "c", OTHER, "a", OTHER]
