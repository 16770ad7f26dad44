"""The settings of a Managed HSM. There is one, and it is boolean."""

from __future__ import annotations

from urllib.parse import unquote

from safekv.emulator import _attributes
from safekv.emulator._answers import Refused
from safekv.emulator._call import Call, Route
from safekv.emulator._messages import Response

_VALUES = ("true", "false")


def list_settings(call: Call) -> Response:
    settings = call.vault.administration.settings
    return Response.json(200, {"settings": [_shown(name, value) for name, value in settings.items()]})


def get_setting(call: Call) -> Response:
    name = _named(call)
    return Response.json(200, _shown(name, call.vault.administration.settings[name]))


def update_setting(call: Call) -> Response:
    name = _named(call)
    value = _attributes.read_json(call.request.body).get("value")
    if value not in _VALUES:
        raise Refused("400_value")
    call.vault.administration.settings[name] = value
    return Response.json(200, _shown(name, value))


def _named(call: Call) -> str:
    name = unquote(call.request.path.rstrip("/").rpartition("/")[2])
    if name not in call.vault.administration.settings:
        raise Refused("404_mhsm_setting", guid=call.vault.new_id())
    return name


def _shown(name: str, value: str) -> dict[str, str]:
    return {"name": name, "type": "boolean", "value": value}


ROUTES = (
    Route("list_settings", "GET", "/settings", list_settings, on_hsm=True, on_vault=False),
    Route("get_setting", "GET", "/settings/{setting}", get_setting, on_hsm=True, on_vault=False),
    Route("update_setting", "PATCH", "/settings/{setting}", update_setting, on_hsm=True, on_vault=False),
)
