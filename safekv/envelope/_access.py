"""Whose keys may open a ring: what was given, in the form that the rest works with, and the list of what is allowed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from safekv import _identifiers
from safekv.envelope._allowed import AllowedKeys, allowed
from safekv.envelope._jwe import Document
from safekv.envelope._wrapping import checked, unversioned
from safekv.errors import InvalidArgument

#: Makes a wrapper of what is none: ``VaultKey`` of the ring's colour.
MakeKey = Callable[[Any, Any], Any]

_EXAMPLE = f"'{_identifiers.EXAMPLE_URL}/keys/app-kek'"


def wrappers(given: Sequence[Any], credential: Any, make: MakeKey) -> tuple[Any, ...]:
    """``given``, each of them able to wrap.

    :raises InvalidArgument: for none, too many, and what is no key.
    """
    ready = [it if _can_wrap(it) else make(it, credential) for it in checked(given)]
    return tuple(ready)


def _can_wrap(it: Any) -> bool:
    return callable(getattr(it, "wrap", None)) and callable(getattr(it, "unwrap", None))


def access(
    document: Document,
    given: Sequence[Any],
    credential: Any,
    allow: Iterable[str] | AllowedKeys | None,
    make: MakeKey,
) -> tuple[tuple[Any, ...], AllowedKeys]:
    """The keys to ask, and the list of those that may be asked, whatever the document says.

    :raises KeyNotAllowed: if no key is given, and none of the document's is allowed.
    """
    if given:
        keks = wrappers(given, credential, make)
        return keks, allowed([_address(it) for it in keks]) if allow is None else _listed(allow)
    addresses = list(dict.fromkeys(unversioned(it.kid) for it in document.recipients))
    listed = _in_our_vault(addresses) if allow is None else _listed(allow)
    fine = [unversioned(kid) for kid in listed.only(it.kid for it in document.recipients)]
    return wrappers([*dict.fromkeys(fine)], credential, make), listed


def _listed(allow: Iterable[str] | AllowedKeys) -> AllowedKeys:
    if isinstance(allow, (str, AllowedKeys)):
        return allowed(allow)
    return allowed([_identifiers.where_it_is(str(it)) for it in allow])


def _address(kek: Any) -> str:
    address = getattr(kek, "address", None)
    if isinstance(address, str):
        return address
    raise InvalidArgument(
        f"A {type(kek).__name__} does not say which key it is, so the keys that may open the ring must be listed.",
        hint=f"allow=[{_EXAMPLE}]",
    )


def _in_our_vault(addresses: Iterable[str]) -> AllowedKeys:
    """Those in the vault that the process is configured for: a ring alone must not choose whom we ask."""
    url = os.environ.get("AZURE_KEY_VAULT_URL")
    if not url:
        raise InvalidArgument(
            "Which keys may open this ring? It names some itself, but whoever wrote it chose them.",
            hint=f"Give the keys to KeyRing.load or KeyRing (--kek), such as {_EXAMPLE}, or their vault in "
            "AZURE_KEY_VAULT_URL.",
        )
    ours = [it for it in addresses if it.startswith(f"{_identifiers.named_vault_url(url)}/keys/")]
    # Nothing of ours in it: a list on which no key of the ring is.
    return allowed(ours or [f"{_identifiers.named_vault_url(url)}/keys/none"])
