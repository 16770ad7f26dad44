"""Who may do what in a vault: ``_access`` decides by the tables ``_needs`` and ``_roles``; ``_enforcement`` refuses."""
