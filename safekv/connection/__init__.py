"""One connection per process, vault and identity: the only floor that blocks or awaits.

``_registry`` finds the connection and the client that exist already, ``_credential`` turns
many token requests into one, ``_transport`` and ``_atransport`` carry the bytes, ``_policy``
and ``_apolicy`` sit in the SDK's pipeline, and ``_loops`` keeps what belongs to one event
loop. Everything here survives ``fork()`` by starting again in the child.
"""
