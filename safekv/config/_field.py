"""What a model says of its fields: the secret's name, where it differs, and how bytes are written."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, dataclass
from typing import Any, NoReturn

from safekv.errors import CredentialNotPicklable, InvalidArgument

_KEY = "safekv"
_ENCODINGS = ("utf-8", "base64")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's value is: a name in the place of the field's own, or a reference."""

    secret: str | None = None
    encoding: str = "utf-8"

    def __call__(self, schema: dict[str, Any]) -> None:
        """Nothing: pydantic keeps of a dataclass's field what it knows, such as what changes the JSON schema."""


def field(
    secret: str | None = None,
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | Any = MISSING,
    encoding: str = "utf-8",
    repr: bool = False,
) -> Any:
    """Says which secret a field has: ``password: str = safekv.field("db-pwd")`` in a dataclass or a pydantic model,
    ``password: Annotated[str, safekv.field("db-pwd")]`` in any model.

    :param secret: the name of the secret, in the place of the field's own; or a reference (``kv://vault/name``).
    :param default: as for ``dataclasses.field``; in ``Annotated``, give it as the field's default instead.
    :param encoding: for bytes: ``"utf-8"`` or ``"base64"``.
    :param repr: whether the dataclass's repr shows the value.
    """
    if secret == "" or not isinstance(secret, str | None):
        raise InvalidArgument(f"{secret!r} is not a secret's name.", hint="safekv.field('db-password')")
    if encoding not in _ENCODINGS:
        raise InvalidArgument(
            f"encoding={encoding!r} must be one of {', '.join(_ENCODINGS)}.", hint="encoding='base64'"
        )
    source = Source(secret, encoding)
    said = {_KEY: source, "json_schema_extra": source}
    return dataclasses.field(default=default, default_factory=default_factory, repr=repr, metadata=said)


def source_in(*places: Any) -> Source:
    """What is said in metadata of ``Annotated``, or in a dataclass's field; the last that is said counts."""
    found = Source()
    for place in places:
        if isinstance(place, dataclasses.Field):
            found = place.metadata.get(_KEY, found)
        elif isinstance(place, Source):
            found = place
    return found


class Secret:
    """A text that is not shown: ``get_secret_value()`` is the text, as with pydantic's ``SecretStr``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """The text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('**********')"

    __str__ = __repr__

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise CredentialNotPicklable(
            "A Secret is not pickled: the pickle would have its text in it.", hint="Load it in the other process."
        )


def decoded(text: str, encoding: str) -> bytes:
    """The bytes that a text is written for.

    :raises ValueError: if it is not base64.
    """
    return base64.b64decode("".join(text.split()), validate=True) if encoding == "base64" else text.encode()
