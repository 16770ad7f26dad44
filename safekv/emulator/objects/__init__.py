"""What secrets, keys and certificates have in common: versions, soft delete, attributes, lists, backups."""
