"""What a caller may give as a credential, and what not: told apart without asking it for a token."""

from __future__ import annotations

import inspect
from typing import Any

from safekv.errors import CredentialNotPicklable, InvalidCredential


def may_pickle_a_secret(it: object) -> bool:
    """Whether it is a credential of azure-identity's, or a subclass that says nothing of its own about pickling."""
    kind = type(it)
    azures = any(base.__module__.startswith("azure.identity") for base in kind.__mro__)
    plain = kind.__reduce__ is object.__reduce__ and kind.__reduce_ex__ is object.__reduce_ex__
    return azures and plain and (hasattr(it, "get_token") or hasattr(it, "get_token_info"))


def check_credential(credential: object) -> None:
    """Refuse what can never be a credential.

    :raises InvalidCredential: a text, a number, a collection, or a class instead of an object.
    """
    if isinstance(credential, type):
        problem = f"is the class {credential.__name__}, not an object: add parentheses"
    elif isinstance(credential, (str, bytes, int, float, tuple, list, dict, set)):
        problem = f"is a {type(credential).__name__}, not an object with get_token"
    else:
        return
    raise InvalidCredential(
        f"The credential {problem}.",
        hint="Pass safekv.identity.DefaultAzureCredential(), or leave the credential out to use that one.",
    )


def is_async(credential: object) -> bool:
    """Whether the credential's tokens have to be awaited."""
    return any(
        inspect.iscoroutinefunction(getattr(credential, method, None)) for method in ("get_token_info", "get_token")
    )


def wrong_colour(credential: object) -> InvalidCredential:
    """The error for a credential whose tokens have to be awaited, where nobody can."""
    return InvalidCredential(
        f"{type(credential).__name__} is an asynchronous credential, and this client is synchronous.",
        hint="Use safekv.identity for synchronous credentials, or the client from safekv.secrets.aio.",
    )


def no_credential(credential: object) -> InvalidCredential:
    """The error for an object that cannot give tokens."""
    return InvalidCredential(
        f"The credential, a {type(credential).__name__}, has neither get_token nor get_token_info.",
        hint="Pass a credential from safekv.identity, or leave the credential out to use its DefaultAzureCredential.",
    )


def check_picklable(credential: Any) -> None:
    """Refuse to pickle what would take a secret or a token along.

    :raises CredentialNotPicklable: for azure-identity's own credentials.
    """
    if may_pickle_a_secret(credential):
        raise CredentialNotPicklable(
            f"What holds azure.identity's {type(credential).__name__} cannot be pickled: "
            "the pickle could contain a client secret or a token.",
            hint="Leave the credential out, or import it from safekv.identity: then the other process "
            "makes its own from the same arguments.",
        )
