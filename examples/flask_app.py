"""Flask: secrets as its configuration, and a key that is followed while it runs.

AZURE_KEY_VAULT_URL=https://my-vault.vault.azure.net flask --app examples/flask_app.py run

With gunicorn, leave --preload away: each worker then calls create_app itself, and follows the key itself.
"""

from __future__ import annotations

import os

from flask import Flask

import safekv
from safekv.secrets import SecretClient


def create_app() -> Flask:
    app = Flask(__name__)
    client = SecretClient()  # stays open: what follows shares its connection, token and cache
    # The secrets flask-secret-key, flask-greeting, …: SECRET_KEY, GREETING, …
    app.config.from_mapping(safekv.load({"SECRET_KEY": "flask-secret-key", "GREETING": "flask-greeting"}, vault=client))
    live = safekv.watch(["flask-api-key"], vault=client, interval=float(os.environ.get("REFRESH_SECONDS", 300)))

    @app.get("/")
    def index() -> dict[str, str | int | None]:
        key = live["flask-api-key"]  # the present one, without a request
        version = live.current.origins["flask-api-key"].version
        return {"greeting": app.config["GREETING"], "key": version, "characters": len(key)}

    return app
