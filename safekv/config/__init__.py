"""Configuration at startup: secrets by name, prefix or model, complete, or one error that lists everything.

``safekv.load`` and its siblings are these; ``safekv.aio`` has them for asyncio. See docs/configuration.md.
"""

from safekv.config._environ import load_environ, resolve, resolve_environ, resolve_file
from safekv.config._field import Secret, field
from safekv.config._loader import load, load_as
from safekv.config._references import Reference
from safekv.config._snapshot import Snapshot
from safekv.config._values import Config
from safekv.config._watch import watch

__all__ = [
    "Config",
    "Reference",
    "Secret",
    "Snapshot",
    "field",
    "load",
    "load_as",
    "load_environ",
    "resolve",
    "resolve_environ",
    "resolve_file",
    "watch",
]
