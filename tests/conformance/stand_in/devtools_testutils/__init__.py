"""A stand-in for the helper that Microsoft's tests import and do not publish.

Every test runs live: against whatever AZURE_KEYVAULT_URL names, with a real
``DefaultAzureCredential``. There are no recordings, so what concerns them does nothing.
"""

from __future__ import annotations

import asyncio
import functools
import os
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest


class AzureMgmtPreparer:
    """For tests that make a vault of their own; none does so any more."""


def is_live() -> bool:
    return True


class AzureRecordedTestCase:
    """What the test classes and the preparers, which make the clients, are built on."""

    is_live = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Microsoft's preparers skip all but the newest api-version in live runs, to save time
        # on a real vault. Here each version costs milliseconds.
        if "_skip_if_not_configured" in vars(cls):
            cls._skip_if_not_configured = _never_skipped

    def is_playback(self) -> bool:
        return False

    def get_resource_name(self, name: str) -> str:
        """The same name for the same ``name`` in one test; another one in every other test."""
        if "_unique" not in self.__dict__:
            self._unique = uuid.uuid4().hex[:12]
        return f"{name}{self._unique}"

    def get_credential(self, client_class: type, *, is_async: bool = False, **_: Any) -> Any:
        if is_async:
            from azure.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential

            return AsyncDefaultAzureCredential()
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    def create_client_from_credential(self, client_class: Callable[..., Any], credential: Any, **kwargs: Any) -> Any:
        # The tests that look for bodies in the log rely on this default.
        return client_class(credential=credential, **{"logging_enable": True, **kwargs})

    @staticmethod
    def await_prepared_test(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            asyncio.run(test(*args, **kwargs))

        return run


def _never_skipped(self: AzureRecordedTestCase, *_: Any, **__: Any) -> None:
    pass


def recorded_by_proxy(test: Callable[..., Any]) -> Callable[..., Any]:
    return test


@pytest.fixture(scope="session")
def test_proxy() -> None:
    pass


def PowerShellPreparer(*_: str, **variables: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a test the variables of the environment that it names."""

    def prepare(test: Callable[..., Any]) -> Callable[..., Any]:
        # Not functools.wraps: pytest would look for fixtures of these names.
        def run(self: Any) -> Any:
            return test(self, **{name: os.environ[name.upper()] for name in variables})

        return run

    return prepare


def _no_recordings(**_: Any) -> None:
    pass


add_body_key_sanitizer = _no_recordings
add_general_regex_sanitizer = _no_recordings
add_general_string_sanitizer = _no_recordings
add_oauth_response_sanitizer = _no_recordings
add_remove_header_sanitizer = _no_recordings
add_uri_regex_sanitizer = _no_recordings
set_bodiless_matcher = _no_recordings
set_custom_default_matcher = _no_recordings


def remove_batch_sanitizers(names: list[str]) -> None:
    pass
