"""The operations that every kind of object has, with their routes.

Listing, deleting, recovering, purging, backing up and restoring differ between kinds only in
what is shown of an object, which its ``Kind`` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response
from safekv.emulator.objects import _attributes, _paging, _stored
from safekv.emulator.objects._lifecycle import Collection
from safekv.emulator.objects._objects import Kind, State, StoredObject, Version

if TYPE_CHECKING:
    from safekv.emulator._vault import Vault


def add_version(
    vault: Vault,
    kind: Kind,
    name: str,
    document: Mapping[str, Any],
    content: dict[str, Any],
    now: float,
    *,
    managed: bool = False,
    version_id: str | None = None,
) -> tuple[StoredObject, Version]:
    """A new latest version with this content and the attributes and tags of ``document``."""
    second = int(now)
    version = Version(version_id or vault.new_id(), created=second, updated=second, content=content, managed=managed)
    _attributes.update(version, document, kind.longest_tag)
    collection = vault.collection(kind)
    stored = collection.writable(name, now)
    if stored is None:
        stored = StoredObject(name, {version.id: version}, details=dict.fromkeys(kind.details))
        collection.add(stored)
        return stored, version
    if not managed:
        collection.refuse_managed(stored)
    append(vault, kind, stored, version)
    return stored, version


def append(vault: Vault, kind: Kind, stored: StoredObject, version: Version) -> None:
    """Make this the latest version. Its id is changed if the object has one like it."""
    while version.id in stored.versions:  # the same seed gives the same ids again after a restart
        version.id = vault.new_id()
    stored.versions[version.id] = version
    vault.collection(kind).expect(stored)


def bundle(call: Call, kind: Kind, stored: StoredObject, version: Version) -> dict[str, Any]:
    """An answer about one version, without anything secret."""
    identifier = f"{call.vault.url}/{kind.segment}/{stored.name}/{version.id}"
    return _shown(call, kind, kind.bundle(stored, version, identifier), version)


def deleted_bundle(call: Call, kind: Kind, stored: StoredObject) -> dict[str, Any]:
    return {**_deletion(call, kind, stored), **bundle(call, kind, stored, stored.latest)}


class CommonOperations:
    """Handlers of the operations of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def list_all(self, call: Call) -> Response:
        return self._list(call, State.ACTIVE, self.kind.segment)

    def list_deleted(self, call: Call) -> Response:
        return self._list(call, State.DELETED, self.kind.deleted_segment)

    def list_versions(self, call: Call) -> Response:
        """By version id: the service promises no order either. None for a name that is unknown or deleted."""
        after, size = _paging.start_after(call.query), _paging.page_size(call.query)
        stored = call.vault.collection(self.kind).find(call.name, call.now)
        known = stored.versions if stored and stored.state(call.now) is State.ACTIVE else {}
        name = stored.name if stored else call.name
        found = sorted(each for each in known if each > after and self.kind.listed(known[each], call.query))
        url = f"{call.vault.url}/{self.kind.segment}/{name}"
        items = [
            _shown(call, self.kind, self.kind.item(known[each], f"{url}/{each}"), known[each]) for each in found[:size]
        ]
        go_on_after = found[size - 1] if len(found) > size else None
        return Response.json(200, _paging.document(items, f"{url}/versions", call.query, go_on_after))

    def delete(self, call: Call) -> Response:
        stored = call.vault.collection(self.kind).delete(call.name, call.now)
        for part in self._parts(call, State.ACTIVE):
            part.delete(call.name, call.now, with_owner=True)
        return Response.json(200, deleted_bundle(call, self.kind, stored))

    def get_deleted(self, call: Call) -> Response:
        stored = call.vault.collection(self.kind).deleted(call.name, call.now)
        if self.kind.deleted_disabled and not stored.latest.enabled:
            raise Refused(self.kind.deleted_disabled)
        return Response.json(200, deleted_bundle(call, self.kind, stored))

    def recover(self, call: Call) -> Response:
        stored = call.vault.collection(self.kind).recover(call.name, call.now)
        for part in self._parts(call, State.DELETED):
            part.recover(call.name, call.now, with_owner=True)
        return Response.json(200, bundle(call, self.kind, stored, stored.latest))

    def purge(self, call: Call) -> Response:
        collection = call.vault.collection(self.kind)
        if call.vault.policy.purge_protection:
            collection.in_bin(call.name, call.now, self.kind.deleted_not_found)
            raise Refused("403_purge_protected", vault=call.vault.name, region=call.vault.region)
        collection.purge(call.name, call.now)
        for part in self._parts(call, State.DELETED):
            part.purge(call.name, call.now, with_owner=True)
        return Response(204)

    def backup(self, call: Call) -> Response:
        stored = call.vault.collection(self.kind).active(call.name, call.now)
        document = _stored.dump(stored)
        if self.kind.parts:
            parts = {part.kind.segment: part.active(call.name, call.now) for part in self._parts(call, State.ACTIVE)}
            document["parts"] = {segment: _stored.dump(part) for segment, part in parts.items()}
        return Response.json(200, {"value": call.vault.sealer.seal(self.kind, document)})

    def restore(self, call: Call) -> Response:
        """All versions come back, under the name and the ids that they had."""
        backup = _attributes.read_json(call.request.body).get("value")
        if not isinstance(backup, str):
            raise Refused("400_value")
        document = call.vault.sealer.open(self.kind, backup)
        if document is None:
            raise Refused("400_backup")
        parts = document.pop("parts", {})
        restored = _stored.load(self.kind, document, "backup")
        whole = {self.kind: restored}
        whole |= {
            kind: _stored.load(kind, parts[kind.segment], "part") for kind in self.kind.parts if kind.segment in parts
        }
        for kind, stored in whole.items():
            if call.vault.collection(kind).find(stored.name, call.now) is not None:  # in whatever state
                identifier = f"{call.vault.url}/{kind.segment}/{stored.name}/{stored.latest.id}"
                raise Refused(kind.restore_conflict, id=identifier)
        for kind, stored in whole.items():
            call.vault.collection(kind).add(stored)
        return Response.json(200, bundle(call, self.kind, restored, restored.latest))

    def routes(self) -> tuple[Route, ...]:
        """Operations are named as the Python SDK's methods are."""
        noun, many = self.kind.noun.lower(), self.kind.segment
        one, bin_ = f"/{many}/{{name}}", f"/{self.kind.deleted_segment}"
        routes = (
            Route(f"list_properties_of_{many}", "GET", f"/{many}", self.list_all),
            Route(f"list_properties_of_{noun}_versions", "GET", f"{one}/versions", self.list_versions),
            Route(f"delete_{noun}", "DELETE", one, self.delete),
            Route(f"backup_{noun}", "POST", f"{one}/backup", self.backup),
            Route(f"restore_{noun}_backup", "POST", f"/{many}/restore", self.restore),
            Route(f"list_deleted_{many}", "GET", bin_, self.list_deleted),
            Route(f"get_deleted_{noun}", "GET", f"{bin_}/{{name}}", self.get_deleted),
            Route(f"recover_deleted_{noun}", "POST", f"{bin_}/{{name}}/recover", self.recover),
            Route(f"purge_deleted_{noun}", "DELETE", f"{bin_}/{{name}}", self.purge),
        )
        return tuple(replace(route, on_hsm=self.kind.on_hsm, cost=self.kind.cost) for route in routes)

    def _parts(self, call: Call, state: State) -> list[Collection]:
        """Where the parts are that the object has."""
        collections = [call.vault.collection(kind) for kind in self.kind.parts]
        found = [(collection, collection.find(call.name, call.now)) for collection in collections]
        return [collection for collection, stored in found if stored and stored.state(call.now) is state]

    def _list(self, call: Call, state: State, segment: str) -> Response:
        after, size = _paging.start_after(call.query), _paging.page_size(call.query)
        collection = call.vault.collection(self.kind)
        found, go_on_after = collection.page(state, call.now, call.query, after=after, size=size)
        items = [self._item(call, stored) for stored in found]
        return Response.json(200, _paging.document(items, f"{call.vault.url}/{segment}", call.query, go_on_after))

    def _item(self, call: Call, stored: StoredObject) -> dict[str, Any]:
        """In lists an object has an identifier without a version."""
        identifier = f"{call.vault.url}/{self.kind.segment}/{stored.name}"
        item = _shown(call, self.kind, self.kind.item(stored.latest, identifier), stored.latest)
        return {**_deletion(call, self.kind, stored), **item}


def _deletion(call: Call, kind: Kind, stored: StoredObject) -> dict[str, Any]:
    if stored.deletion is None:
        return {}
    return {
        "recoveryId": f"{call.vault.url}/{kind.deleted_segment}/{stored.name}",
        "deletedDate": int(stored.deletion.started),
        "scheduledPurgeDate": int(stored.deletion.purge),
    }


def _shown(call: Call, kind: Kind, own: dict[str, Any], version: Version) -> dict[str, Any]:
    """The kind's own members and those that every kind has."""
    policy = call.vault.policy
    if version.managed:
        own["managed"] = True
    common = _attributes.shown(version, policy.recovery_level, policy.retention_days, call.api_version)
    own["attributes"] = {**common, **kind.attributes(version, call.api_version)}
    if version.tags is not None:
        own["tags"] = version.tags
    return own
