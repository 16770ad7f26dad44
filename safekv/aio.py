"""``safekv.load`` and its siblings for asyncio."""

from safekv.config._aloader import load

__all__ = ["load"]
