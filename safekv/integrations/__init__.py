"""What joins safekv to other libraries. Each module needs the extra of its name: ``pip install 'safekv[arrow]'``."""
