"""Who there is: applications, managed identities and users, each with the ids that tokens carry.

Nobody has to be registered. A client id that nobody registered is an application of its own, whose
object id follows from it: another one than the client id, as in Entra ID, where policies and
assignments that name the client id instead of the object id give nothing.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

#: The identity that clients have who say nothing else.
DEFAULT_CLIENT = "c0ffee00-0000-4000-8000-000000000001"
#: Through which a user acts: the Azure CLI's id.
_USERS_APPLICATION = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
_NAMESPACE = uuid.UUID("5afe6e70-0000-4000-8000-000000000000")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """An identity. ``groups`` are object ids; ``user``: a person, who acts through an application."""

    name: str
    client_id: str
    oid: str
    groups: tuple[str, ...] = ()
    user: bool = False

    def claims(self) -> dict[str, Any]:
        """What its tokens say of it."""
        claims: dict[str, Any] = {"appid": self.client_id, "oid": self.oid, "sub": self.oid}
        claims |= {"idtyp": "user", "upn": self.name, "scp": "user_impersonation"} if self.user else {"idtyp": "app"}
        return {**claims, "groups": list(self.groups)} if self.groups else claims


class Directory:
    """The identities that were registered, by name, client id and object id. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Principal] = OrderedDict()
        self.default = self.add("emulator", client_id=DEFAULT_CLIENT)

    def add(
        self,
        name: str,
        *,
        client_id: str | None = None,
        oid: str | None = None,
        groups: Iterable[str] = (),
        user: bool = False,
    ) -> Principal:
        """Register an identity, or change the one of this name.

        Ids that are not given follow from the name. A group is a name, too, or an object id.
        """
        if not name or len(name) > 256 or not name.isprintable():
            raise ValueError(f"name must be 1 to 256 characters such as 'app', not {name!r}")
        client = client_id or (_USERS_APPLICATION if user else id_of(f"client {name}"))
        principal = Principal(name, client, oid or object_id(name if user else client), _ids(groups), user)
        with self._lock:
            if name not in self._known and len(self._known) >= _MOST:
                raise ValueError(f"there are {_MOST} identities already")
            self._known[name] = principal
        return principal

    def find(self, name: str) -> Principal:
        """The identity of this name, client id or object id; one that nobody registered is an application."""
        with self._lock:
            known = list(self._known.values())
        for each in known:
            ids = (each.name, each.oid) if each.user else (each.name, each.client_id, each.oid)
            if name.lower() in map(str.lower, ids):
                return each
        return Principal(name, name, object_id(name))

    def __iter__(self) -> Iterator[Principal]:
        with self._lock:
            return iter(list(self._known.values()))


def group_id(name: str) -> str:
    """The object id of a group of this name; an id stands for itself."""
    return name if _GUID.fullmatch(name) else id_of(f"group {name}")


def object_id(client_id: str) -> str:
    """The object id of an application that nobody registered."""
    return id_of(f"object {client_id.lower()}")


def id_of(text: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, text))


def _ids(groups: Iterable[str]) -> tuple[str, ...]:
    if isinstance(groups, str):
        raise ValueError(f"groups must be a list of names or object ids, such as ['readers'], not {groups!r}")
    return tuple(group_id(each) for each in groups)
