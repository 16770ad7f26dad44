"""Decisions about repeating and waiting: no azure, no sleeping, the clock is injected."""
