"""What is said when a ring would replace something that it was not made from."""

from __future__ import annotations

from collections.abc import Iterable

from safekv.envelope._errors import RingConflict


def found_another(what: str, *, is_ring: bool, ours_is_new: bool) -> RingConflict:
    """For a file or a secret that holds something else.

    :param ours_is_new: the ring was made here and has never been written.
    """
    if not is_ring:
        return RingConflict(f"{what} exists and holds no key ring.", hint="Save the ring under another name.")
    if ours_is_new:
        return RingConflict(
            f"{what} holds a key ring already, and this one is new: what that one has encrypted could not be read.",
            hint="Load that one (KeyRing.load, KeyRing.from_secret), or save this one under another name.",
        )
    return RingConflict(
        f"{what} holds another ring than the one that this was made from, or another version of it.",
        hint="Load it again and make the change there (run the command again), so that no key is lost; or save under "
        "another name.",
    )


def written_at_once(what: str, versions: Iterable[str]) -> RingConflict:
    """For a secret that others have written between our look at it and our writing."""
    return RingConflict(
        f"{what} was written by somebody else at the same moment (version {', '.join(sorted(versions))}). The vault "
        "keeps all versions, and readers get the newest.",
        hint="Load the newest (KeyRing.from_secret) and make the change there. KeyRing(client.get_secret(name, "
        "version).value, ...) reads another, and to_secret(..., overwrite=True) makes it the newest again.",
    )
