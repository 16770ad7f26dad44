"""What Key Vault accepts as a key: types, sizes, curves, operations. Checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from azure.keyvault.keys import JsonWebKey, KeyCurveName, KeyOperation, KeyType

from safekv._identifiers import object_tags
from safekv.errors import InvalidArgument

RSA_SIZES = (2048, 3072, 4096)
OCT_SIZES = (128, 192, 256, 384, 512)
MOST_RANDOM_BYTES = 128
LONGEST_TAG = 256
#: The name of P-256K in api-version 2016-10-01.
_OLD_CURVE = "SECP256K1"


def new_key(key_type: object, size: object, curve: object, operations: object, tags: object) -> None:
    """Refuse what no key can be.

    :raises InvalidArgument: naming what was given and what there is.
    """
    kty = _one_of("key_type", key_type, KeyType)
    if size is not None and kty.startswith("RSA"):
        _size("RSA", size, RSA_SIZES)
    if size is not None and kty.startswith("oct"):
        _size("symmetric", size, OCT_SIZES)
    if curve is not None and curve != _OLD_CURVE:
        _one_of("curve", curve, KeyCurveName)
    key_attributes(operations, tags)


def key_attributes(operations: object, tags: object) -> None:
    """Refuse operations that no key has, and tags that are too many or too long.

    :raises InvalidArgument: as :func:`new_key`.
    """
    if operations is not None:
        if isinstance(operations, str) or not isinstance(operations, Iterable):
            raise InvalidArgument(
                f"key_operations must be a list, not {type(operations).__name__}.",
                hint="['wrapKey', 'unwrapKey'] is an example.",
            )
        for operation in operations:
            _one_of("key_operations", operation, KeyOperation)
    object_tags(tags, LONGEST_TAG)


def key_to_import(key: object, tags: object) -> None:
    """Refuse what cannot be imported. The key itself is in no message.

    :raises InvalidArgument: for anything but a ``JsonWebKey`` with a type.
    """
    if not isinstance(key, JsonWebKey):
        raise InvalidArgument(
            f"key must be a JsonWebKey, not {type(key).__name__}.", hint="JsonWebKey(**fields) makes one from a dict."
        )
    _one_of("key.kty", key.kty, KeyType)  # type: ignore[attr-defined]
    object_tags(tags, LONGEST_TAG)


def random_bytes(count: object) -> None:
    """Refuse what a Managed HSM does not give.

    :raises InvalidArgument: unless 1 to 128 bytes are asked for.
    """
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_RANDOM_BYTES:
        raise InvalidArgument(
            f"At least one random byte, and at most {MOST_RANDOM_BYTES}, must be requested, not {count!r}.",
            hint="Ask several times for more, or use os.urandom.",
        )


def _size(kind: str, given: object, sizes: tuple[int, ...]) -> None:
    if given not in sizes:
        raise InvalidArgument(
            f"size={given!r} is no size of a {kind} key.", hint=f"In bits: {', '.join(map(str, sizes))}."
        )


def _one_of(argument: str, given: Any, known: type[Enum]) -> str:
    """``given`` as the service writes it."""
    values = [str(each.value) for each in known]
    text = given.value if isinstance(given, Enum) else given
    for value in values:
        if isinstance(text, str) and text.lower() == value.lower():
            return value
    raise InvalidArgument(
        f"{argument}: {given!r} is not one of those that Key Vault knows.", hint=f"One of: {', '.join(values)}."
    )
