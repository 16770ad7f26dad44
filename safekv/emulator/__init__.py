"""A Key Vault that runs anywhere: a pure state machine, ``Emulator.handle(request) -> reply``.

It has no sockets and no threads of its own, never sleeps, and takes time and chance as
parameters; adapters bring in the requests and carry out the replies. It protects nothing:
any bearer token is let in, values are kept in memory in clear.

How a request is dealt with, in order, each step one module: ``_control`` (the emulator's own
endpoints), ``_router`` (which operation is it?), ``_faults`` (is it to fail?), ``_auth``,
``_throttle``, ``_enforcement``, then the operation itself, and ``_answers`` and ``_journal`` for
what comes out. ``_emulator`` and ``_pipeline`` tie them together.

Who may do what is decided in ``_access``, by the tables ``_access_needs`` and ``_access_roles``,
where a vault enforces it. ``_arm`` is the control plane that changes it (vaults, deleted vaults,
groups and roles are one module each), ``_directory`` knows the identities.

Versions, soft delete, attributes, lists and backups (``_objects``, ``_lifecycle``,
``_attributes``, ``_paging``, ``_common``) are the same for every kind of object. A new kind of
object: one module with its routes, like ``_secrets``, added to ``_router``. Keys (``_keys``)
are made of ``_key_material``, do what ``_key_algorithms`` knows if ``_key_rules`` lets them, and
rotate as ``_rotation`` says; certificates (``_certificates``) come about in ``_issuance`` or from
``_certificate_files``, each with a key and a secret of its name (``_certificate_parts``).
"""

from __future__ import annotations

from safekv.emulator._emulator import Emulator
from safekv.emulator._fault import Fault
from safekv.emulator._journal import Journal, JournalEntry
from safekv.emulator._messages import Network, NetworkFault, Reply, Request, Response
from safekv.emulator._seeding import EmulatedVault
from safekv.emulator._settings import EmulatorSettings, Limits
from safekv.emulator._tokens import granted_claims, make_token, read_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from safekv.emulator._server import EmulatorServer
    from safekv.emulator._transport import AsyncEmulatorTransport, EmulatorTransport

__all__ = [
    "AsyncEmulatorTransport",
    "EmulatedVault",
    "Emulator",
    "EmulatorServer",
    "EmulatorSettings",
    "EmulatorTransport",
    "Fault",
    "Journal",
    "JournalEntry",
    "Limits",
    "Network",
    "NetworkFault",
    "Reply",
    "Request",
    "Response",
    "granted_claims",
    "make_token",
    "read_token",
]

#: The adapters, loaded when they are first used: they need ssl, cryptography or azure-core.
_ADAPTERS = {
    "AsyncEmulatorTransport": "safekv.emulator._transport",
    "EmulatorServer": "safekv.emulator._server",
    "EmulatorTransport": "safekv.emulator._transport",
}


def __getattr__(name: str) -> object:
    home = _ADAPTERS.get(name)
    if home is None:
        raise AttributeError(f"module 'safekv.emulator' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value
