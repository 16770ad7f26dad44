"""One connection per process, vault and identity: the only floor that blocks or awaits.

Modules with an ``a`` in front are the aio twins. From the door to the wire:

======================  ==============================================================================
finding the client      ``_client`` is what the doors build on; it asks ``_registry`` for the client that
                        exists already; ``_identity`` says what makes two of them the same
what they share         ``_connection`` (one vault, one identity); ``_traffic`` (one vault: lanes, breaker,
                        budget)
the SDK's pipeline      ``_translate`` (outermost: errors that say what to do; ``_answer``, ``_trace``), then
                        ``_policy`` (turns and repetitions), which carries out what a ``_call`` decides, by
                        ``_rules``, with ``_doubt`` about writes, ``_outcome``, ``_reading`` and ``_ending``
tokens                  ``_credential`` turns many requests into one; ``_tokens``, ``_credential_kinds``
the wire                ``_transport`` is each client's lease on what ``_adapter`` and ``_tls`` open, with
                        sockets that are ``_punctual``; it tells ``_writes`` of what changes
waiting and working     ``_polling`` (deletions, recoveries), ``_background`` and ``_tasks`` (refreshes),
                        ``_bulk`` (who may wait)
surviving               ``safekv._fork`` (a child starts again), ``_loops`` and ``_closing`` (event loops end),
                        ``_emulation`` (an emulator takes the network's place)
======================  ==============================================================================
"""
