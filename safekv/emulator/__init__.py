"""A Key Vault that runs anywhere: a pure state machine, ``Emulator.handle(request) -> reply``.

It has no sockets and no threads of its own, never sleeps, and takes time and chance as
parameters; adapters bring in the requests and carry out the replies. It protects nothing:
any bearer token is let in, values are kept in memory in clear.

How a request is dealt with, in order: ``_control`` (the emulator's own endpoints), ``_router``
(which operation is it?), ``_faults`` (is it to fail?), ``identity._auth``, ``_throttle``,
``access._enforcement``, then the operation itself, and ``_answers`` and ``_journal`` for what comes
out. ``_emulator`` and ``_pipeline`` tie them together; ``_vault`` is one vault, ``_seeding`` fills it.

=================  ==========================================================================
``objects/``       what is the same for all kinds: versions, soft delete, attributes, lists, backups
``_secrets``       the smallest kind: a new one looks like it, and is named in ``_router``
``keys/``          made of ``_material``, they do what ``_algorithms`` knows if ``_rules`` lets them
``certificates/``  come about in ``_issuance`` or from ``_files``, with a key and a secret
``hsm/``           what a Managed HSM has beside keys: local roles, backups, settings
``access/``        who may do what in a vault: decided in ``_access``, refused by ``_enforcement``
``arm/``           the control plane: vaults as resources, roles, deleted vaults
``identity/``      who somebody is: the directory, tokens and where they come from
``keeping/``       the contents as JSON-able data, and in a file between runs
``in_process/``    transports that azure-core can use in this process
``server/``        TLS sockets, and all that a client in another process needs
=================  ==========================================================================
"""

from __future__ import annotations

from safekv.emulator._emulator import Emulator
from safekv.emulator._fault import Fault
from safekv.emulator._journal import Journal, JournalEntry
from safekv.emulator._messages import Network, NetworkFault, Reply, Request, Response
from safekv.emulator._seeding import EmulatedVault
from safekv.emulator._settings import EmulatorSettings, Limits
from safekv.emulator.identity._tokens import granted_claims, make_token, read_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from safekv.emulator.in_process._transport import AsyncEmulatorTransport, EmulatorTransport
    from safekv.emulator.server._server import EmulatorServer

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
    "AsyncEmulatorTransport": "safekv.emulator.in_process._transport",
    "EmulatorServer": "safekv.emulator.server._server",
    "EmulatorTransport": "safekv.emulator.in_process._transport",
}


def __getattr__(name: str) -> object:
    home = _ADAPTERS.get(name)
    if home is None:
        raise AttributeError(f"module 'safekv.emulator' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value
