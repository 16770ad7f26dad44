"""What can be wrong with a template, or with what is known of a vault's access."""

from __future__ import annotations

from safekv.errors import InvalidArgument


class TemplateError(InvalidArgument):
    """A template, a parameter file or an expression that cannot be read, or is about another vault."""


class AccessUnknown(InvalidArgument):
    """What a template does to access depends on what only a deployment knows."""
