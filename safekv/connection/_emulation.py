"""What takes the place of the network and of every credential while a test runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from safekv._identifiers import HSM_DOMAINS, PUBLIC_CLOUD, set_all_in_process

if TYPE_CHECKING:
    from safekv.connection._traffic import Traffics


class Emulation(Protocol):
    """An emulator in this process, as the connections see it."""

    traffics: Traffics
    #: The emulator itself, with its ``vaults`` by authority.
    emulator: Any

    def transport(self, colour: str) -> Any:
        """The azure-core transport for ``"sync"`` or ``"aio"`` connections."""
        ...

    def credential(self) -> Any:
        """A sync credential that the emulator accepts."""
        ...


class Affected(Protocol):
    """Something that holds what came from the one vault, and must not give it out for the other."""

    def start_again(self) -> None:
        """Forget all of it."""
        ...


_NAME = re.compile("[a-z][a-z0-9-]*")
_active: Emulation | None = None
_AFFECTED: WeakSet[Affected] = WeakSet()


def on_change(it: Affected) -> None:
    """Have ``it.start_again()`` called whenever the emulation changes, for as long as ``it`` is alive."""
    _AFFECTED.add(it)


def active() -> Emulation | None:
    """The emulation that is on, if one is."""
    return _active


def lacking(host: str) -> str | None:
    """What to do about a vault that the emulation which is on does not have; None if it has it, or none is on."""
    if _active is None or host.lower() in _active.emulator.vaults:
        return None
    there = ", ".join(vault.name for vault in list(_active.emulator.vaults.values())) or "none"
    do = _making(host.lower())
    return f"The LocalKeyVault that stands in for Azure here has no such vault, it has: {there}. {do}."


def _making(host: str) -> str:
    name, _, domain = host.partition(".")
    if not _NAME.fullmatch(name) or not domain:  # an address: of `safekv emulator`, say
        return "Give local.url() as the vault's URL, or in AZURE_KEY_VAULT_URL"
    if domain == PUBLIC_CLOUD:
        return f"Make it: local.vault({name!r}), or @pytest.mark.vault_secret(name, value, vault={name!r})"
    where = "hsm=True" if domain == HSM_DOMAINS[0] else f"authority={host!r}, resource={'https://' + domain!r}"
    return f"Make it: local.emulator.add_vault({name!r}, {where})"


def instead_of(credential: Any) -> Emulation | None:
    """What gives tokens in this credential's place now, if anything does."""
    return None if getattr(credential, "emulated", None) is True else _active


def activate(emulation: Emulation | None) -> Emulation | None:
    """Turn an emulation on, or the present one off (None); returns the one that was on."""
    global _active
    before, _active = _active, emulation
    set_all_in_process(emulation is not None)
    for it in list(_AFFECTED):
        it.start_again()
    return before
