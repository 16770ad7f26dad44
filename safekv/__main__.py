"""``python -m safekv`` is the ``safekv`` command."""

from __future__ import annotations

from safekv.cli import main

if __name__ == "__main__":
    main(prog_name="safekv")
