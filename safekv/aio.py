"""``safekv.load`` and its siblings for asyncio."""

from safekv.config._aenviron import load_environ, resolve, resolve_environ, resolve_file
from safekv.config._aloader import load, load_as
from safekv.config._awatch import watch

__all__ = ["load", "load_as", "load_environ", "resolve", "resolve_environ", "resolve_file", "watch"]
