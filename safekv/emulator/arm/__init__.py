"""The control plane, ``management.azure.com``: ``_arm`` takes a request; each kind of resource is a module."""
