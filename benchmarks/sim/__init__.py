"""The fleet simulator: many processes with safekv's real decisions against a model of a throttled vault.

Nothing sleeps and nothing is sent; time is virtual. See README.md.
"""
