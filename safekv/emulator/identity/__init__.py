"""Who somebody is: the ``_directory``, ``_tokens``, the endpoints that give them out, and the check in ``_auth``."""
