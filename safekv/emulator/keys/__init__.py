"""Keys: ``_keys`` has their routes, ``_operations`` what they do, ``_material`` what they are made of."""
