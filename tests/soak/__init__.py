"""Everything at once, for minutes: ``nox -s soak``. See ``run``."""
