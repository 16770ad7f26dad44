"""Tokens of one identity, however many ask: ``_tokens`` decides; ``_credential`` and its aio twin fetch."""
