"""``safekv.load`` and its siblings for asyncio."""

from safekv.config._aloader import load, load_as

__all__ = ["load", "load_as"]
