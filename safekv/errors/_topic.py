"""A topic: one thing that goes wrong, what it means, and what to do about it.

Several errors of the service can be one topic (a secret, a key or a certificate that is not
there). ``safekv explain`` and the pages in ``docs/troubleshooting/`` show topics.
"""

from __future__ import annotations

from typing import NamedTuple

GUIDE = "https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/keyvault/TROUBLESHOOTING.md"
IDENTITY_GUIDE = (
    "https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/identity/azure-identity/TROUBLESHOOTING.md"
)
LEARN = "https://learn.microsoft.com/azure/key-vault/general"

FREQUENT_401 = f"{GUIDE}#frequent-http-401-errors-in-logs"
HTTP_401 = f"{GUIDE}#http-401-errors"
INVALID_ISSUER = f"{GUIDE}#akv10032-invalid-issuer"
HTTP_403 = f"{GUIDE}#http-403-errors"
NOT_PERMITTED = f"{GUIDE}#operation-not-permitted"
TENANTS = f"{GUIDE}#tenant-authentication-issues"
CHALLENGE = f"{GUIDE}#incorrect-challenge-resource"
OTHER_ERRORS = f"{GUIDE}#other-service-errors"
HTTP_429 = f"{GUIDE}#http-429-too-many-requests"

#: Pages in ``docs/``.
REDEPLOY = "redeploy.md"
WHO_CAN_READ = "who-can-read.md"
PERMISSION_MODELS = "explanation/permission-models.md"


class Topic(NamedTuple):  # a dataclass would import dataclasses and inspect at every start
    """One thing that goes wrong.

    Texts have places such as ``{vault}``, filled with what the error says; see ``_hints``.

    :ivar kind: the name of the class in ``safekv.errors`` that is raised.
    :ivar hint: what to do, in one sentence or two.
    :ivar remedies: further things to do, the likeliest first; those that begin with ``az `` are commands.
    :ivar guide: the section of Microsoft's guide, as a URL.
    :ivar transient: the same request may succeed later without anybody changing anything.
    :ivar stale: a value that was read before may stand in for the answer.
    :ivar see: pages in ``docs/`` that say more.
    :ivar repeat: the request was certainly not carried out, so that also a write may be repeated.
    """

    slug: str
    kind: str
    title: str
    meaning: str
    hint: str
    guide: str
    remedies: tuple[str, ...] = ()
    transient: bool = False
    stale: bool = False
    repeat: bool = True
    see: tuple[str, ...] = ()
