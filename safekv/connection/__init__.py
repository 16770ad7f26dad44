"""One connection per process, vault and identity: the only floor that blocks or awaits.

``_client`` is what the doors build on: it asks ``_registry`` for the client that exists
already. A ``_connection`` is what all clients of one vault and identity share: a
``_credential`` that turns many token requests into one, a ``_transport`` that carries the
bytes, and for each client a ``_policy`` in the SDK's pipeline, which carries out what a
``_call`` decides. Modules with an ``a`` in front are the aio twins, and ``_loops`` keeps what
belongs to one event loop. Everything here survives ``fork()`` by starting again (``safekv._fork``).
"""
