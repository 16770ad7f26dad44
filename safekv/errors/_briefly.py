"""What is wrong in a few words, for a list of many: without the service's prose, and without anything it quotes."""

from __future__ import annotations

import re

from safekv.errors._base import SafeKVError
from safekv.errors._service import VaultUnavailable

#: How the error ends that a breaker gives in the place of a request.
LEFT_ALONE = "was not sent: the vault has just failed several times in a row."

#: What concerns one secret.
_ONE = {
    "SecretNotFound": "there is no such secret",
    "NotFound": "not found",
    "ResourceNotFoundError": "not found",
    "SecretDisabled": "it is disabled",
    "MissingPermission": "no permission",
    "AccessDenied": "access is denied",
}
#: What is the same for all secrets of a vault.
_WHOLE = {
    "VaultNotFound": "DNS knows no such vault",
    "CannotConnect": "no connection could be made",
    "UntrustedCertificate": "the server's certificate is not trusted",
    "InsecureConnection": "it is not reached over https://",
    "ConnectionLost": "the connection broke",
    "AnswerTimeout": "no answer came in time",
    "BlockedByFirewall": "its firewall does not let this address in",
    "PublicAccessDisabled": "it takes private connections alone",
    "CredentialUnavailable": "no credential can give a token here",
    "WrongTenant": "the token is of another tenant",
    "WrongAudience": "the token is for another service",
    "TokenExpired": "the token is expired",
    "ChallengeMismatch": "who answers wants a token for another domain",
    "CredentialTooOld": "the credential is too old to take the vault's tenant",
    "AuthenticationFailed": "no token that the vault takes",
    "VaultThrottled": "throttled for longer than there was time",
    "VaultUnavailable": "it failed",
    "DeadlineExceeded": "the time was over before it was asked",
    "IncompleteAnswer": "half an answer came",
    "UnreadableAnswer": "the answer was none of Key Vault's",
}
_REFUSED = re.compile(r"AADSTS\d+")
_BOILERPLATE = re.compile(r"\s+(?:If you recently|For help resolving|For more (?:information|details))\b.*")
#: Each kind's words.
WORDS = {**_ONE, **_WHOLE}
#: Characters of a text that is not known.
_MOST = 300


def briefly(error: BaseException) -> tuple[str, bool, bool]:
    """The words; whether they are one kind's and not this error's own; whether all of the vault is concerned."""
    for kind in type(error).__mro__:
        if kind.__name__ in _ONE:
            return _ONE[kind.__name__], True, False
        if kind.__name__ in _WHOLE:
            return _whole(error, _WHOLE[kind.__name__]), True, True
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return _BOILERPLATE.sub("", str(said).strip().splitlines()[0])[:_MOST], False, False


def is_refusal(error: BaseException) -> bool:
    """Whether a breaker spoke for a vault that had failed before: there is a cause that says more."""
    return isinstance(error, VaultUnavailable) and error.message.endswith(LEFT_ALONE)


def _whole(error: BaseException, words: str) -> str:
    """The words, with the number by which others know the case."""
    if is_refusal(error):
        return "it is left alone for a while, having failed several times in a row"
    if isinstance(error, VaultUnavailable) and error.message.endswith("to leave the vault alone."):
        return "this process was told to leave it alone"
    found = _REFUSED.search(error.message) if isinstance(error, SafeKVError) else None
    number = found[0] if found else None
    if isinstance(error, VaultUnavailable):
        number = f"HTTP {error.status_code}"
    return f"{words} ({number})" if number else words
