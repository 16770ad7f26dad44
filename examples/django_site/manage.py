"""Django: AZURE_KEY_VAULT_URL=https://my-vault.vault.azure.net python examples/django_site/manage.py runserver"""

import os
import sys

from django.core.management import execute_from_command_line

from safekv.errors import SafeKVError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    try:
        execute_from_command_line(sys.argv)
    except SafeKVError as error:
        sys.exit(str(error))  # every setting that is missing, forbidden or disabled, and what to do
