"""Deprecations: what they say, whom they warn, and that none outlives the release that removes it."""

import asyncio
import importlib
import pkgutil
import warnings
from contextlib import suppress

import pytest

import safekv
from safekv import _deprecation
from safekv._deprecation import DEPRECATIONS, announce, deprecated, renamed_argument

WHEN = {"since": "0.4", "removed": "1.0"}


@pytest.fixture
def own_list(monkeypatch):
    monkeypatch.setattr(_deprecation, "DEPRECATIONS", [])


def numbers(version):
    return tuple(int(part) for part in version.split("."))


@pytest.mark.usefixtures("own_list")
def test_the_warning_names_the_old_the_new_and_both_releases_and_points_at_the_caller():
    @deprecated(instead="new()", **WHEN)
    def old(value):
        return value + 1

    with pytest.warns(
        DeprecationWarning, match=r"old\(\) is deprecated since safekv 0.4 and goes with 1.0. Use new\(\)"
    ) as seen:
        assert old(1) == 2
    assert seen[0].filename == __file__
    assert "Use new()" in old.__deprecated__
    assert len(_deprecation.DEPRECATIONS) == 1


@pytest.mark.usefixtures("own_list")
def test_a_coroutine_function_stays_one_and_warns_when_called():
    @deprecated(instead="new()", **WHEN)
    async def old():
        return 3

    with pytest.warns(DeprecationWarning, match="old"):
        assert asyncio.run(old()) == 3


@pytest.mark.usefixtures("own_list")
def test_a_renamed_argument_is_passed_on_and_both_names_are_refused():
    @renamed_argument("ttl", "max_age", **WHEN)
    def read(name, *, max_age=None):
        return name, max_age

    with pytest.warns(DeprecationWarning, match=r"read\(ttl=\) is deprecated.*Use max_age=") as seen:
        assert read("a", ttl=5) == ("a", 5)
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read("a", max_age=5) == ("a", 5)
    with pytest.raises(TypeError, match="both 'max_age' and 'ttl'"):
        read("a", max_age=5, ttl=5)


@pytest.mark.usefixtures("own_list")
def test_what_moved_warns_from_a_modules_getattr():
    moved = announce("safekv.Old", instead="safekv.New", **WHEN)

    def __getattr__(name):
        moved.warn()

    with pytest.warns(DeprecationWarning, match=r"safekv\.Old") as seen:
        __getattr__("Old")
    assert seen[0].filename == __file__


def test_nothing_outlives_the_release_that_removes_it():
    for module in pkgutil.walk_packages(safekv.__path__, "safekv."):
        if module.name.endswith(("__main__", ".demo_app")):  # these run when they are imported
            continue
        with suppress(ModuleNotFoundError):  # an extra that is not installed
            importlib.import_module(module.name)
    late = [str(entry) for entry in DEPRECATIONS if numbers(entry.removed) <= numbers(safekv.__version__)]
    assert late == []
