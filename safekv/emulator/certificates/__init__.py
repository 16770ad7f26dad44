"""Certificates: ``_certificates`` has their routes; they come about in ``_issuance`` or from ``_files``."""
