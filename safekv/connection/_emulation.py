"""What takes the place of the network and of every credential while a test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from safekv.connection._traffic import Traffics


class Emulation(Protocol):
    """An emulator in this process, as the connections see it."""

    traffics: Traffics

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


_active: Emulation | None = None
_AFFECTED: WeakSet[Affected] = WeakSet()


def on_change(it: Affected) -> None:
    """Have ``it.start_again()`` called whenever the emulation changes, for as long as ``it`` is alive."""
    _AFFECTED.add(it)


def active() -> Emulation | None:
    """The emulation that is on, if one is."""
    return _active


def instead_of(credential: Any) -> Emulation | None:
    """What gives tokens in this credential's place now, if anything does."""
    return None if getattr(credential, "emulated", None) is True else _active


def activate(emulation: Emulation | None) -> Emulation | None:
    """Turn an emulation on, or the present one off (None); returns the one that was on."""
    global _active
    before, _active = _active, emulation
    for it in list(_AFFECTED):
        it.start_again()
    return before
