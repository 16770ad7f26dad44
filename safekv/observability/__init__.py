"""What an application sees of its vaults: OpenTelemetry, log records, and the numbers that ``safekv top`` shows.

Everything here is a hook of ``safekv.subscribe``: until it is asked for, nothing is measured.

======================  ===============================================================================
``instrument``          metrics and spans for OpenTelemetry (``pip install 'safekv[otel]'``)
``log_events``          one record of the standard library's ``logging`` for each event, with its fields
``JsonFormatter``       such records as lines of JSON
``publish``             numbers for ``safekv top``, in a file that only this user can read
======================  ===============================================================================
"""

TYPE_CHECKING = False  # typing costs more to import than all of this
if TYPE_CHECKING:
    from safekv.observability._publishing import publish
    from safekv.observability.logging import JsonFormatter, log_events
    from safekv.observability.otel import instrument

__all__ = ["JsonFormatter", "instrument", "log_events", "publish"]

_HOMES = {
    "JsonFormatter": "safekv.observability.logging",
    "instrument": "safekv.observability.otel",
    "log_events": "safekv.observability.logging",
    "publish": "safekv.observability._publishing",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'safekv.observability' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
