"""Every parser of what comes from outside, given anything: ``nox -s fuzz``. See ``targets`` and ``run``."""
