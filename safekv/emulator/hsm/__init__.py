"""What Managed HSMs have beside keys: local roles, full backups, settings, and the ``_jobs`` that take their time."""
