"""One operation with a key: its arguments, where it is done, with which version, and what comes back. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from azure.keyvault.keys import KeyOperation
from azure.keyvault.keys.crypto import (
    DecryptResult,
    EncryptionAlgorithm,
    EncryptResult,
    KeyWrapAlgorithm,
    SignatureAlgorithm,
    SignResult,
    UnwrapResult,
    VerifyResult,
    WrapResult,
)

from safekv import _identifiers
from safekv._clock import Clock
from safekv.errors import InvalidArgument
from safekv.keys.crypto import _advice, _sizes
from safekv.keys.crypto._keystore import Known

#: What the service always does, unless somebody has the private part of the key.
PRIVATE = frozenset({KeyOperation.decrypt, KeyOperation.unwrap_key, KeyOperation.sign})
#: What a key does only between ``not_before`` and ``expires_on``; the rest undoes what was done before.
_TIMED = frozenset({KeyOperation.encrypt, KeyOperation.wrap_key, KeyOperation.sign})
_METHODS = {KeyOperation.wrap_key: "wrap_key", KeyOperation.unwrap_key: "unwrap_key"}


@dataclass(slots=True)
class Asked:
    """What a caller wants done. ``key_id`` is that of the result that was passed, if one was."""

    operation: KeyOperation
    algorithm: Any
    data: bytes
    signature: bytes | None = None
    iv: bytes | None = None
    tag: bytes | None = None
    aad: bytes | None = None
    key_id: str | None = None

    @property
    def method(self) -> str:
        """What the SDK calls it."""
        return _METHODS.get(self.operation, self.operation.value)

    def check(self, known: Known | None) -> None:
        """Refuse what cannot work, as far as that can be told from what is known of the key.

        :raises InvalidArgument: see ``_sizes``.
        """
        if self.operation not in (KeyOperation.sign, KeyOperation.verify):
            if self.iv is not None or self.tag is not None:
                _sizes.check_lengths(self.algorithm.value, self.iv, self.tag)
            _sizes.check_data(self.operation, self.algorithm.value, self.data, known.modulus if known else None)
        elif known is not None and isinstance(getattr(known.jwk, "kty", None), str):
            _sizes.check_digest(self.algorithm.value, self.data)

    def perform(self, known: Known) -> Any:
        """Do it here."""
        provider, operation = known.provider, self.operation
        if operation is KeyOperation.verify:
            return self._verify(known)
        if operation in (KeyOperation.encrypt, KeyOperation.decrypt):
            return getattr(provider, self.method)(self.algorithm, self.data, iv=self.iv)
        return getattr(provider, self.method)(self.algorithm, self.data)

    def _verify(self, known: Known) -> Any:
        curve, wanted = getattr(known.jwk, "crv", None), _sizes.CURVES.get(self.algorithm.value)
        if isinstance(curve, str) and curve in _sizes.CURVES.values() and curve != wanted:
            _advice.tell_of_other_curve(self.algorithm.value, getattr(curve, "value", curve))
            return VerifyResult(key_id=known.id, algorithm=self.algorithm, is_valid=False)
        return known.provider.verify(self.algorithm, self.data, self.signature)

    def parameters(self, models: Any) -> Any:
        """The body of the request to the service."""
        if self.operation is KeyOperation.sign:
            return models.KeySignParameters(algorithm=self.algorithm, value=self.data)
        if self.operation is KeyOperation.verify:
            return models.KeyVerifyParameters(algorithm=self.algorithm, digest=self.data, signature=self.signature)
        more = {"iv": self.iv, "tag": self.tag, "aad": self.aad}
        given = {name: value for name, value in more.items() if value is not None}
        return models.KeyOperationsParameters(algorithm=self.algorithm, value=self.data, **given)

    def result(self, key_id: str, answer: Any) -> Any:
        """The service's answer as the SDK returns it, with the id of the version that was used."""
        said = getattr(answer, "kid", None)
        used: dict[str, Any] = {"key_id": said if isinstance(said, str) else key_id, "algorithm": self.algorithm}
        if self.operation is KeyOperation.encrypt:
            names = ("iv", "authentication_tag", "additional_authenticated_data")
            more: dict[str, Any] = {name: getattr(answer, name, None) for name in names}
            return EncryptResult(ciphertext=answer.result, **used, **more)
        if self.operation is KeyOperation.verify:
            return VerifyResult(is_valid=answer.value, **used)
        kind, field = _RESULTS[self.operation]
        return kind(**used, **{field: answer.result})


_RESULTS: Mapping[KeyOperation, tuple[Callable[..., Any], str]] = {
    KeyOperation.decrypt: (DecryptResult, "plaintext"),
    KeyOperation.wrap_key: (WrapResult, "encrypted_key"),
    KeyOperation.unwrap_key: (UnwrapResult, "key"),
    KeyOperation.sign: (SignResult, "signature"),
}


def encrypt(algorithm: Any, plaintext: Any, iv: bytes | None, aad: bytes | None) -> Asked:
    asked = Asked(
        KeyOperation.encrypt,
        _algorithm(algorithm, EncryptionAlgorithm),
        _bytes("plaintext", plaintext),
        iv=_bytes("iv", iv, optional=True),
        aad=_bytes("additional_authenticated_data", aad, optional=True),
    )
    _check_extras(asked)
    if asked.algorithm is EncryptionAlgorithm.rsa1_5:
        _advice.tell_of_rsa1_5()
    return asked


def decrypt(algorithm: Any, ciphertext: Any, iv: bytes | None, tag: bytes | None, aad: bytes | None) -> Asked:
    """``ciphertext`` may be an ``EncryptResult``: what is not given is taken from it."""
    key_id = None
    if isinstance(ciphertext, EncryptResult):
        result = ciphertext
        _same_algorithm(algorithm, result)
        key_id, ciphertext = result.key_id, result.ciphertext
        iv, tag, aad = _either(iv, result.iv), _either(tag, result.tag), _either(aad, result.aad)
    asked = Asked(
        KeyOperation.decrypt,
        _algorithm(algorithm, EncryptionAlgorithm),
        _bytes("ciphertext", ciphertext),
        iv=_bytes("iv", iv, optional=True),
        tag=_bytes("authentication_tag", tag, optional=True),
        aad=_bytes("additional_authenticated_data", aad, optional=True),
        key_id=key_id,
    )
    _check_extras(asked)
    return asked


def wrap_key(algorithm: Any, key: Any) -> Asked:
    asked = Asked(KeyOperation.wrap_key, _algorithm(algorithm, KeyWrapAlgorithm), _bytes("key", key))
    if asked.algorithm is KeyWrapAlgorithm.rsa1_5:
        _advice.tell_of_rsa1_5()
    return asked


def unwrap_key(algorithm: Any, encrypted_key: Any) -> Asked:
    """``encrypted_key`` may be a ``WrapResult``."""
    key_id = None
    if isinstance(encrypted_key, WrapResult):
        _same_algorithm(algorithm, encrypted_key)
        key_id, encrypted_key = encrypted_key.key_id, encrypted_key.encrypted_key
    wanted = _algorithm(algorithm, KeyWrapAlgorithm)
    return Asked(KeyOperation.unwrap_key, wanted, _bytes("encrypted_key", encrypted_key), key_id=key_id)


def sign(algorithm: Any, digest: Any) -> Asked:
    return Asked(KeyOperation.sign, _algorithm(algorithm, SignatureAlgorithm), _bytes("digest", digest))


def verify(algorithm: Any, digest: Any, signature: Any) -> Asked:
    """``signature`` may be a ``SignResult``."""
    key_id = None
    if isinstance(signature, SignResult):
        _same_algorithm(algorithm, signature)
        key_id, signature = signature.key_id, signature.signature
    if signature == b"":
        raise InvalidArgument("signature is empty.", hint="Pass the signature, or the result of sign.")
    return Asked(
        KeyOperation.verify,
        _algorithm(algorithm, SignatureAlgorithm),
        _bytes("digest", digest),
        _bytes("signature", signature),
        key_id=key_id,
    )


def is_local(asked: Asked, known: Known, *, wanted: bool) -> bool:
    """Whether to do it here: only with material that is there, for what the key is for, and while it is enabled.

    Everything else is for the service, whose refusals are better than ours. Not so an expired
    key: see :func:`check_time`.
    """
    if not wanted or not known.provider or known.enabled is False:
        return False
    able = known.able.get((asked.operation, asked.algorithm))
    if able is None:
        able = known.able[asked.operation, asked.algorithm] = _is_able(asked, known)
    return able


def _is_able(asked: Asked, known: Known) -> bool:
    if not known.provider.supports(asked.operation, asked.algorithm):
        return False
    operations = known.jwk.key_ops
    if isinstance(operations, (list, tuple, set, frozenset)) and asked.operation not in operations:
        return False
    return operations is not None and fits(asked, known)


def fits(asked: Asked, known: Known) -> bool:
    """Whether a symmetric key has the length that the algorithm is for: the SDK would cut off what is too long."""
    material = getattr(known.jwk, "k", None)
    if asked.algorithm.value not in _sizes.AES_KEY_WRAP or not isinstance(material, (bytes, bytearray)):
        return True
    return bool(f"A{len(material) * 8}KW" == asked.algorithm.value)


def has_material(jwk: Any) -> bool:
    """Whether there is anything to work with. The service releases no symmetric key, and nobody is to make one up."""
    kty = getattr(jwk, "kty", None)
    symmetric = isinstance(kty, str) and kty.lower().startswith("oct")
    return not symmetric or bool(jwk.k)


def check_time(asked: Asked, known: Known, clock: Clock) -> None:
    """Refuse to do here what the service would refuse to do with this key now.

    :raises InvalidArgument: before ``not_before`` and from ``expires_on`` on, for what makes something new.
    """
    if (known.not_before is None and known.expires_on is None) or asked.operation not in _TIMED:
        return
    now = clock.time()
    early = known.not_before is not None and now < known.not_before.timestamp()
    late = known.expires_on is not None and now >= known.expires_on.timestamp()
    if early or late:
        begin, end = (f"{known.not_before} (UTC)", f"{known.expires_on} (UTC)")
        usable = f"between {begin} and {end}" if known.not_before and known.expires_on else ""
        usable = usable or (f"from {begin} on" if early else f"until {end}")
        raise InvalidArgument(
            f"{known.id} is usable for {asked.operation.value} only {usable}.",
            hint="Rotate the key and use its newest version, or change its dates with update_key_properties. "
            "What was made with it before can still be decrypted, unwrapped and verified.",
        )


def version_asked_for(asked_id: object, vault_url: str, name: str) -> str | None:
    """The version in an id that came with a call; it has to be of the same key.

    :raises InvalidArgument: if it is another key's.
    """
    given = _identifiers.key_id(asked_id)
    if given.vault_url == vault_url and given.name.lower() == name.lower():
        return given.version
    raise InvalidArgument(
        f"This was made with the key {given.name!r} in {given.vault_url}; this client is for {name!r} in {vault_url}.",
        hint="Use a CryptographyClient for that key.",
    )


def _check_extras(asked: Asked) -> None:
    algorithm = asked.algorithm.value
    if asked.iv is asked.tag is asked.aad is None and algorithm.startswith("RSA"):
        return
    _sizes.check_iv(asked.operation, algorithm, asked.iv, asked.tag, asked.aad)
    if asked.aad and "CBC" in algorithm:
        _advice.tell_of_unused_data(algorithm)


def _algorithm(given: Any, known: type[Enum]) -> Any:
    """The SDK's enum for an algorithm that may be given as its name."""
    if type(given) is known:
        return given
    text = given.value if isinstance(given, Enum) else given
    if isinstance(text, str):
        for each in known:
            if text.lower() in (each.value.lower(), each.name.lower()):
                return each
    names = ", ".join(each.value for each in known)
    raise InvalidArgument(f"{text!r} is no {known.__name__}.", hint=f"One of: {names}.")


def _same_algorithm(algorithm: Any, result: Any) -> None:
    names = [str(getattr(each, "value", each)).lower() for each in (algorithm, result.algorithm)]
    if names[0] != names[1]:
        raise InvalidArgument(
            f"This was made with {result.algorithm.value}, not with {getattr(algorithm, 'value', algorithm)}.",
            hint="Pass result.algorithm.",
        )


def _bytes(argument: str, given: Any, *, optional: bool = False) -> Any:
    if type(given) is bytes or (optional and given is None):
        return given
    if isinstance(given, (bytes, bytearray, memoryview)):
        return bytes(given)
    raise InvalidArgument(
        f"{argument} must be bytes, not {type(given).__name__}.",
        hint="text.encode() makes bytes of a str; base64.b64decode(text) of base64.",
    )


def _either(given: Any, found: Any) -> Any:
    return found if given is None else given


#: For a call that is about the key itself.
LOOK = Asked(KeyOperation.verify, SignatureAlgorithm.rs256, b"")
