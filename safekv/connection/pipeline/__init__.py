"""Ours in the SDK's pipeline: ``_translate`` is outermost, ``_policy`` carries out what ``_call`` decides."""
