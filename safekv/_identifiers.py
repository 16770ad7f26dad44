"""Names and addresses: what Key Vault accepts, checked before anything is sent."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from safekv.errors import InvalidArgument

PUBLIC_CLOUD = "vault.azure.net"
EXAMPLE_URL = "https://my-vault.vault.azure.net"
#: Where vaults are, in the clouds that there are.
VAULT_DOMAINS = (PUBLIC_CLOUD, "vault.azure.cn", "vault.usgovcloudapi.net")
HSM_DOMAINS = tuple(domain.replace("vault", "managedhsm", 1) for domain in VAULT_DOMAINS)

MAX_VALUE_BYTES = 25 * 1024
MAX_TAGS = 15
MAX_TAG_LENGTH = 512
MAX_CONTENT_TYPE_LENGTH = 255

_KINDS = {f"{prefix}{kind}s": kind for kind in ("secret", "key", "certificate") for prefix in ("", "deleted")}
_OBJECT_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
_NAME_LIKE = re.compile(r"[\w./ -]{1,127}")
_VAULT_NAME = re.compile(r"(?!.*--)[a-zA-Z][0-9a-zA-Z-]{1,22}[0-9a-zA-Z]")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EMULATORS_RESOURCE = re.compile(r"0\.0\.1(:\d+)?")
_NO_HOST = re.compile(r"[\s\\_\x00-\x1f\x7f]")
_PREVIEW_VERSION = re.compile(r"(\d\.\d|\d{4}-\d\d-\d\d)-preview(\.\d+)?")


def vault_url(given: object) -> str:
    """The canonical URL of a vault: ``https://host[:port]``, lower case, nothing after it.

    A vault's name alone is completed to the public cloud's URL.

    :raises InvalidArgument: naming what was given, what is wanted, and an example.
    """
    if given is None:
        raise InvalidArgument("No vault is given.", hint=f"Write it like {EXAMPLE_URL!r}, or set AZURE_KEY_VAULT_URL.")
    if not isinstance(given, str) or not given.strip():
        raise _bad_url(given, "a vault's URL is needed, as the argument or in AZURE_KEY_VAULT_URL")
    text = given.strip()
    if _VAULT_NAME.fullmatch(text):
        return f"https://{text.lower()}.{PUBLIC_CLOUD}"
    if "://" not in text:
        raise _bad_url(given, "it has no scheme; it must start with https://")
    return _canonical(text, given)


_all_in_process = False


def set_all_in_process(on: bool) -> None:
    """Whether an emulator in this process stands in for every vault: then the environment's stands in for none."""
    global _all_in_process
    _all_in_process = on


def emulated_vaults(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What ``safekv emulator`` has put into the environment: URLs on this machine, by name."""
    if environ is None and _all_in_process:
        return {}
    pairs = (os.environ if environ is None else environ).get("SAFEKV_EMULATOR_VAULTS", "").split(",")
    found = {}
    for name, _, address in (pair.partition("=") for pair in pairs if "=" in pair):
        url = vault_url(address)
        if urlsplit(url).hostname in _LOOPBACK:
            found[name.strip().lower()] = url
    return found


def named_vault_url(given: object, environ: Mapping[str, str] | None = None) -> str:
    """As :func:`vault_url`, but a vault that ``safekv emulator`` has is that one, by name and by URL."""
    if isinstance(given, str):
        emulated = emulated_vaults(environ)
        given = emulated.get(given.strip().lower(), given) if "://" not in given else where_it_is(given, emulated)
    return vault_url(given)


def where_it_is(address: str, emulated: Mapping[str, str] | None = None) -> str:
    """A vault's URL, or the id of something in it, at the emulator's address if ``safekv emulator`` has that vault.

    An application that names its vault in full runs on the emulator, too, while the emulator's variables are set.

    :param emulated: :func:`emulated_vaults`, if nothing is given.
    """
    known = emulated_vaults() if emulated is None else emulated
    if not known:
        return address
    scheme, _, rest = address.strip().partition("://")
    host, slash, path = rest.partition("/")
    name, _, domain = host.lower().removesuffix(":443").rstrip(".").partition(".")
    ours = scheme.lower() == "https" and domain in VAULT_DOMAINS + HSM_DOMAINS and name in known
    return known[name] + slash + path if ours else address


def not_emulated(host: str, environ: Mapping[str, str] | None = None) -> str | None:
    """What to do about a vault of Azure's that the emulator whose variables are set does not have; None if none are."""
    known = emulated_vaults(environ)
    name, _, domain = host.lower().rstrip(".").partition(".")
    if not known or name in known or domain not in VAULT_DOMAINS + HSM_DOMAINS:
        return None
    option = "--hsm" if domain in HSM_DOMAINS else "--vault"
    return (
        f"The emulator that SAFEKV_EMULATOR_VAULTS tells of has no such vault, it has: {', '.join(known)}. "
        f"Start it with {option} {name}; or unset its variables, if a vault in Azure is meant."
    )


def host_of_resource(host: str) -> str:
    """The host of what a token is for; where that is the emulator's name for one of its vaults, the vault's own.

    The SDK wants a vault's address to lie within the domain of its resource, so the emulator's resource for
    ``127.0.0.1:8443`` is what follows the first dot.
    """
    return f"127.{host}" if _EMULATORS_RESOURCE.fullmatch(host) else host


def _canonical(text: str, given: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its text can contain a password, so it is not repeated
        raise _bad_url(given, "it cannot be read as a URL") from None
    if parts.scheme.lower() != "https":
        raise _bad_url(given, "tokens and secrets only travel over https://")
    if parts.username is not None or parts.password is not None:
        raise _bad_url(given, "it must not contain user information")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise _bad_url(given, "it must not have a query or a fragment")
    if parts.path.strip("/"):
        raise _bad_url(given, f"it must not have a path ({parts.path!r}): give the vault, then ask for objects by name")
    host = (parts.hostname or "").rstrip(".")
    if not host or _NO_HOST.search(host):
        raise _bad_url(given, "it has no valid host")
    host = f"[{host}]" if ":" in host else host
    return f"https://{host}" if port in (None, 443) else f"https://{host}:{port}"


def _bad_url(given: object, problem: str) -> InvalidArgument:
    return InvalidArgument(
        f"{_shown_url(given)} is not the URL of a vault: {problem}.",
        hint=f"Write it like {EXAMPLE_URL!r}; the vault's name alone ('my-vault') works for the public cloud.",
    )


def object_name(given: object, kind: str = "secret") -> str:
    """``given`` if it can be the name of an object in a vault.

    :raises InvalidArgument: for anything outside ``^[0-9a-zA-Z-]{1,127}$``.
    """
    if isinstance(given, str) and _OBJECT_NAME.fullmatch(given):
        return given
    raise InvalidArgument(
        f"{_shown_name(given)} is not a valid {kind} name: 1 to 127 letters, digits and hyphens are allowed.",
        hint="Key Vault has no underscores, dots or slashes in names; 'db-password' is an example.",
    )


def some_name(given: object, kind: str = "secret") -> str:
    """``given`` if it is a text at all; :func:`name_in_path` will see whether it can be a name.

    :raises InvalidArgument: for anything but a text, and for an empty one.
    """
    return given if isinstance(given, str) and given else object_name(given, kind)


def name_in_path(path: str) -> None:
    """Refuse the path of a request for an object that cannot exist.

    :raises InvalidArgument: as :func:`object_name`.
    """
    collection, _, rest = path.lstrip("/").partition("/")
    name = rest.partition("/")[0]
    if name and collection in _KINDS and not _OBJECT_NAME.fullmatch(name):
        object_name(unquote(name), _KINDS[collection])


def secret_value(given: object, name: str) -> str:
    """``given`` if it can be stored as a secret. The value itself is in no message."""
    if not isinstance(given, str):
        problem = f"must be a str, not {type(given).__name__}"
    elif len(given) > MAX_VALUE_BYTES or len(given.encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES:
        problem = f"is longer than the {MAX_VALUE_BYTES:,} bytes (UTF-8) that Key Vault stores"
    else:
        return given
    raise InvalidArgument(
        f"The value for secret {name!r} {problem}.",
        hint="Text of up to 25,600 bytes can be stored; encrypt or store larger data elsewhere and keep its key here.",
    )


def secret_attributes(tags: object = None, content_type: object = None) -> None:
    """Refuse tags and content types that Key Vault would refuse.

    :raises InvalidArgument: more than 15 tags, or a text over its length.
    """
    if content_type is not None and len(str(content_type)) > MAX_CONTENT_TYPE_LENGTH:
        raise InvalidArgument(
            f"content_type has {len(str(content_type))} characters; {MAX_CONTENT_TYPE_LENGTH} are allowed.",
            hint="'text/plain' or 'application/json' are examples.",
        )
    object_tags(tags)


def object_tags(tags: object, longest: int = MAX_TAG_LENGTH) -> None:
    """Refuse tags that Key Vault would refuse; a key and a value have at most ``longest`` characters.

    :raises InvalidArgument: anything but a mapping, more than 15 tags, or a text over its length.
    """
    if tags is None:
        return
    if not isinstance(tags, Mapping):
        raise InvalidArgument(
            f"tags must be a dict of str to str, not {type(tags).__name__}.", hint="{'env': 'prod'} is an example."
        )
    if len(tags) > MAX_TAGS:
        raise InvalidArgument(f"{len(tags)} tags were given; an object has at most {MAX_TAGS}.", hint="Drop some tags.")
    for key, value in tags.items():
        if len(str(key)) > longest or len(str(value)) > longest:
            raise InvalidArgument(
                f"Tag {_shortened(str(key))} is too long: key and value have at most {longest} characters.",
                hint="{'env': 'prod'} is an example.",
            )


def is_managed_hsm(url: str) -> bool:
    """Whether a vault's URL is a Managed HSM's, in whichever cloud."""
    return ".managedhsm." in url.partition("://")[2].partition("/")[0].lower()


def is_vault(url: str) -> bool:
    """Whether a URL is that of a vault, and certainly no Managed HSM's; it may be neither, behind a proxy say."""
    return ".vault." in url.partition("://")[2].partition("/")[0].lower()


class KeyId(NamedTuple):
    """What the id of a key says; ``version`` is None where it names none."""

    vault_url: str
    name: str
    version: str | None


def key_id(given: object) -> KeyId:
    """The parts of ``https://my-vault.vault.azure.net/keys/name[/version]``.

    :raises InvalidArgument: for anything else.
    """
    if not isinstance(given, str):
        raise _bad_key_id(given, f"a str is needed, not {type(given).__name__}")
    scheme, mark, rest = given.strip().partition("://")
    host, *path = rest.rstrip("/").split("/")
    if not mark:
        raise _bad_key_id(given, "it has no scheme; it must start with https://")
    if len(path) not in (2, 3) or not all(path):
        raise _bad_key_id(given, "it does not have the form vault/keys/name or vault/keys/name/version")
    if path[0] in _KINDS and path[0] != "keys":
        raise _bad_key_id(given, f"it is in {path[0]!r}, which holds no keys to be used")
    version = path[2] if len(path) == 3 else None
    return KeyId(vault_url(f"{scheme}://{host}"), object_name(path[1], "key"), version)


def _bad_key_id(given: object, problem: str) -> InvalidArgument:
    return InvalidArgument(
        f"{_shown_url(given)} is not the id of a key: {problem}.",
        hint=f"Write it like '{EXAMPLE_URL}/keys/my-key' (its newest version) or '.../keys/my-key/<version>'; "
        "in Python a KeyVaultKey does, too.",
    )


def api_version(given: str, known: Iterable[str]) -> str:
    """``given`` if this SDK knows it, or if it is the preview of a version.

    :raises InvalidArgument: naming the known ones.
    """
    versions = list(known)
    if given in versions or _PREVIEW_VERSION.fullmatch(given):
        return given
    raise InvalidArgument(
        f"{given!r} is not an api-version that the installed SDK knows.",
        hint=f"Leave api_version out for the newest, or give one of: {', '.join(versions)}.",
    )


def _shown_url(given: object) -> str:
    if not isinstance(given, str):
        return _shortened(given)
    # What precedes an @ (of any width) is a password more often than not.
    if "@" in unicodedata.normalize("NFKC", given):
        return "(a text with user information, not shown)"
    shown, mark, _ = re.split("([?#])", given, maxsplit=1) if re.search("[?#]", given) else (given, "", "")
    return _shortened(f"{shown}{mark}..." if mark else shown)  # a query may be a signature


def _shown_name(given: object) -> str:
    # set_secret(value, name) is an easy slip: what does not look like a name may be a value.
    if isinstance(given, str) and given and not _NAME_LIKE.fullmatch(given):
        return f"(a text of {len(given)} characters, not shown)"
    return _shortened(given)


def _shortened(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 80 else text[:77] + "..."
