"""What the cryptography clients of both colours share: whose key it is, what is known of it, where things are done."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import JsonWebKey, KeyOperation, KeyVaultKey

from safekv import _identifiers
from safekv._clock import SYSTEM_CLOCK, Clock
from safekv._seconds import limit
from safekv.connection._identity import reconstruct
from safekv.connection.tokens._credential_kinds import check_picklable
from safekv.errors import InvalidArgument
from safekv.keys.crypto import _advice, _decide, _keystore
from safekv.keys.crypto._decide import Asked
from safekv.keys.crypto._keystore import KeyStore, Known, Name, Turn
from safekv.keys.crypto._sizes import modulus_bytes

if TYPE_CHECKING:
    from safekv.resilience._lane import LaneStatus

Self = TypeVar("Self", bound="SharedCryptography")
_NOWHERE = Name("", "")
_PRIVATE_PARTS = ("d", "dp", "dq", "qi", "p", "q", "k", "t")


@dataclass(slots=True)
class Job:
    """One call. ``known`` is None where the key has not been fetched, and may not have to be.

    :ivar began: on the clock.
    """

    asked: Asked
    name: Name
    local: bool
    known: Known | None
    clock: Clock = SYSTEM_CLOCK
    began: float = 0.0
    needs_key: bool = False


class NoService:
    """In the place of the generated client where there is no vault."""

    def __init__(self, problem: InvalidArgument) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        raise copy(self._problem)


class SharedCryptography:
    """In front of the SDK's ``CryptographyClient``; see that of ``safekv.keys.crypto`` for what it promises."""

    _jwk: bool
    _key_client: Any = None
    _problem: InvalidArgument | None = None  # what is wrong with the id
    _holds_lease = False
    _given: Known | None = None  # what the user has given, beyond an id
    _latest: str | None = None  # the id of the version that was used last, where the user named none
    _prefer_local = True
    _ttl = 0.0
    _name = ""
    _version = ""
    _own = _NOWHERE  # both, as the store has them

    def __init__(self, key: KeyVaultKey | str, credential: Any = None, **options: Any) -> None:
        if options.pop("_jwk", False):
            self._begin_without_vault(key)
            return
        local = _switch(options.pop("local", None), default=True)
        if not isinstance(key, (KeyVaultKey, str)):
            raise InvalidArgument(
                f"'key' must be a KeyVaultKey instance or a key ID string, not {type(key).__name__}.",
                hint="KeyClient.get_key(name) gives the one, its id is the other.",
            )
        if isinstance(key, str):
            key = _identifiers.where_it_is(key)
        try:
            where = _identifiers.key_id(key.id if isinstance(key, KeyVaultKey) else key)
        except InvalidArgument as problem:
            self._begin_nowhere(key, problem)
            return
        self._begin(self._key_client_class()(where.vault_url, credential, **options), key, local)
        self._holds_lease = True

    @classmethod
    def _of(cls: type[Self], key_client: Any, key_id: str, local: bool | None) -> Self:
        """A client on the lease of a ``KeyClient``."""
        client = cls.__new__(cls)
        client._begin(key_client, key_id, local)
        return client

    @classmethod
    def _key_client_class(cls) -> Any:
        raise NotImplementedError

    def _provider_for(self, jwk: Any) -> Any:
        """What works locally with this key. In the clients' own modules, where the SDK's tests look for it."""
        raise NotImplementedError

    def _begin(self, key_client: Any, key: KeyVaultKey | str, local: bool | None) -> None:
        connection = key_client._lease.connection
        super().__init__(  # type: ignore[call-arg]
            key,
            connection.tokens,
            generated_client=key_client._client,
            generated_models=key_client._models,
            api_version=key_client.api_version,
        )
        where = _identifiers.key_id(key.id if isinstance(key, KeyVaultKey) else key)
        self._vault_url = where.vault_url
        self._name, self._version = where.name, where.version or ""
        self._own = Name(where.name.lower(), self._version)
        self._key_client = key_client
        self._store: KeyStore[Any] = _keystore.store_of(connection)
        self._ttl = connection.settings.changed(key_client._origin[2]).key_ttl
        self._prefer_local = _switch(local, default=True)
        if isinstance(key, KeyVaultKey):
            self._given = Known(key.id, self._clock.monotonic(), key)

    def _begin_nowhere(self, key: KeyVaultKey | str, problem: InvalidArgument) -> None:
        """The SDK constructs a client with nearly any id: so do we, and say what is wrong when the vault is needed."""
        try:
            super().__init__(key, object(), generated_client=NoService(problem))  # type: ignore[call-arg]
        except ValueError:
            raise problem from None
        self._problem = problem
        if isinstance(key, KeyVaultKey):
            self._given = Known(key.id, self._clock.monotonic(), key)

    def _begin_without_vault(self, jwk: Any) -> None:
        if not _decide.has_material(jwk):
            raise InvalidArgument(
                "The provided jwk is not valid for local cryptography: it has no 'k', the symmetric key itself.",
                hint="Key Vault does not release symmetric keys. Use the key's id: the service then works with it.",
            )
        problem = InvalidArgument(
            "This client was made with from_jwk: it has no vault to ask.",
            hint="Construct a CryptographyClient with the key's id for what cannot be done locally.",
        )
        service = NoService(problem)
        super().__init__(jwk, object(), _jwk=True, generated_client=service)  # type: ignore[call-arg]
        self._vault_url = None  # type: ignore[assignment]
        self._given = Known(jwk.kid, 0.0)
        self._given.jwk = jwk
        self._given.provider = self._local_provider  # type: ignore[attr-defined]
        self._given.modulus = modulus_bytes(jwk)

    # -- what the SDK's class has, too

    @property
    def key_id(self) -> str | None:
        """The id of the key; with a version as soon as one has been used. None is possible with ``from_jwk``."""
        if self._jwk:
            kid: str | None = self._given.jwk.kid if self._given else None
            return kid
        if self._problem is not None:
            return str(self._key_id.source_id)  # type: ignore[attr-defined]
        return self._latest or self._id_of(self._own)

    def lane_status(self) -> Mapping[str, LaneStatus]:
        """How this process uses the vault; see ``KeyClient.lane_status``. Empty with ``from_jwk``."""
        return self._key_client.lane_status() if self._key_client is not None else {}

    def __repr__(self) -> str:
        kind = type(self)
        return f"<{kind.__module__.replace('._client', '')}.{kind.__qualname__} {self.key_id}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds how to make the client again, and never any part of a key."""
        if self._given is not None and _has_private_part(self._given.jwk):
            raise TypeError("A CryptographyClient that holds a private or symmetric key cannot be pickled.")
        if self._problem is not None:
            raise copy(self._problem)
        if self._key_client is None:
            raise TypeError("A CryptographyClient made with from_jwk cannot be pickled: pass the jwk on instead.")
        _, credential, _ = self._key_client._origin
        check_picklable(credential)
        return reconstruct, (type(self), self._id_of(self._own), credential, self._options())

    def __copy__(self: Self) -> Self:
        return self

    def __deepcopy__(self: Self, memo: Any) -> Self:
        return self

    def _options(self) -> dict[str, Any]:
        options = dict(self._key_client._origin[2])
        return options if self._prefer_local else {**options, "local": False}

    # -- one call

    def _job(self, asked: Asked, kwargs: MutableMapping[str, Any]) -> Job:
        """What is to be done; takes our keywords out of ``kwargs``."""
        local = _switch(kwargs.pop("local", None), default=self._prefer_local)
        key_id = kwargs.pop("key_id", None) or asked.key_id
        if self._jwk:
            return Job(asked, _NOWHERE, True, self._given)
        if self._problem is not None:
            if self._given is None:
                raise copy(self._problem)
            return Job(asked, _NOWHERE, local, self._given)
        version = _decide.version_asked_for(key_id, self._vault_url, self._name) if key_id else None
        name = Name(self._own.name, version) if version else self._own
        clock = self._clock
        now = clock.monotonic()
        known = self._fresh(name, now)
        needs_key = known is None and local and (asked.operation not in _decide.PRIVATE or self._has_private_part)
        return Job(asked, name, local, known, clock, now, needs_key)

    def _turn(self, job: Job, kwargs: Mapping[str, Any]) -> Turn:
        return Turn(self._timeout(kwargs), f"{job.asked.method} with the key {self._name!r}")

    def _timeout(self, kwargs: Mapping[str, Any]) -> float:
        """Seconds that a call with these keywords has."""
        given = limit("timeout", kwargs.get("timeout"))
        if given is not None:
            return given
        own = self._key_client._origin[2].get("timeout")
        return float(own or self._key_client._lease.connection.settings.timeout)

    def _fresh(self, name: Name, now: float) -> Known | None:
        """What is known and young enough to be relied on."""
        given = self._given
        if given is not None and name.version == self._version:
            made_by_hand = given.enabled is None
            if not made_by_hand and now - given.since >= self._ttl:
                seen = self._store.look(name, now, self._ttl)
                return None if seen is None else self._with_state_of(seen)
            return given
        if getattr(self, "_keys_get_forbidden", False):  # the SDK's name for it
            return Known(self._id_of(name), now)
        return self._store.look(name, now, self._ttl)

    def _with_state_of(self, seen: Known) -> Known:
        """The key that the user has given, in the state that it has now in the vault."""
        given = self._given
        assert given is not None
        if seen.jwk is not None:
            given.enabled, given.not_before, given.expires_on = seen.enabled, seen.not_before, seen.expires_on
        given.since = seen.since
        return given

    def _learned(self, job: Job, seen: Known) -> None:
        """The key has been fetched."""
        given = self._given is not None and job.name.version == self._version
        job.known = self._with_state_of(seen) if given else seen

    def _is_local(self, job: Job) -> bool:
        """Where to do it; refuses what can be done nowhere.

        :raises InvalidArgument: for sizes and dates.
        :raises NotImplementedError: if there is no vault, and this cannot be done locally.
        """
        asked, known = job.asked, job.known
        if self._jwk and known is not None:
            self._check_without_vault(asked, known)
            return True
        if known is not None and known.provider is False:
            known.provider = self._try_provider(known.jwk)
        local = known is not None and _decide.is_local(asked, known, wanted=job.local)
        if local and known is not None:
            _decide.check_time(asked, known, job.clock)
        asked.check(known)
        return local

    def _check_without_vault(self, asked: Asked, known: Known) -> None:
        if not known.provider.supports(asked.operation, asked.algorithm):
            raise NotImplementedError(
                f'This key does not support the "{asked.operation}" operation with algorithm "{asked.algorithm}"'
            )
        if asked.operation not in (known.jwk.key_ops or ()):
            return  # the SDK's provider says so
        if not _decide.fits(asked, known):
            raise InvalidArgument(
                f"{asked.algorithm.value} is not for a symmetric key of {len(known.jwk.k) * 8} bits.",
                hint="The number in the algorithm's name is the size of its key in bits.",
            )
        asked.check(known)

    def _try_provider(self, jwk: Any) -> Any:
        """None if nothing in this process can work with the key: then the service does."""
        if not _decide.has_material(jwk):
            return None
        try:
            return self._provider_for(jwk)
        except (KeyError, ValueError):  # a type or a curve of the future
            return None

    def _perform(self, job: Job) -> Any:
        known = job.known
        assert known is not None
        result = job.asked.perform(known)
        if not self._jwk:
            result.key_id = known.id
            self._used(job, known.id)
        return result

    def _request(self, job: Job, kwargs: MutableMapping[str, Any]) -> dict[str, Any]:
        """The arguments for the generated client. What the key took of the time is no longer there for the request."""
        now = job.clock.monotonic()
        if job.needs_key:
            kwargs["timeout"] = max(0.001, self._timeout(kwargs) - (now - job.began))
        sealing = job.asked.operation in (KeyOperation.encrypt, KeyOperation.decrypt)
        if sealing and self._store.counts_many(self._name, now):
            _advice.tell_of_many_calls(self._key_client._lease.connection.traffic.host, self._name)
        version = (job.known.version if job.known else "") or job.name.version
        return {
            "key_name": self._name,
            "key_version": version,
            "parameters": job.asked.parameters(self._models),  # type: ignore[attr-defined]
            **kwargs,
        }

    def _answer(self, job: Job, answer: Any) -> Any:
        result = job.asked.result(job.known.id if job.known else self._id_of(job.name), answer)
        self._used(job, result.key_id)
        return result

    def _used(self, job: Job, key_id: str) -> None:
        if not self._version and not job.name.version:
            self._latest = key_id

    # -- the key

    def _fetched(self, now: float, bundle: Any) -> Known:
        key = KeyVaultKey._from_key_bundle(bundle)
        return Known(key.id, now, key)

    def _refused(self, name: Name, now: float, error: HttpResponseError) -> Known:
        return _keystore.refused(self._id_of(name), now, error)

    def _rsa_key(self, known: Known) -> tuple[Any, JsonWebKey | None]:
        """A client that stays with one version of the key, and its public part."""
        kty = getattr(known.jwk, "kty", None)
        if isinstance(kty, str) and not kty.upper().startswith("RSA"):
            raise InvalidArgument(
                f"{known.id} is a key of type {getattr(kty, 'value', kty)}, not an RSA key.",
                hint="cryptography's RSAPrivateKey and RSAPublicKey are for RSA keys only.",
            )
        if self._jwk or self._version or not known.version:
            return self, known.jwk
        return self._of(self._key_client, known.id, self._prefer_local), known.jwk

    @property
    def _clock(self) -> Clock:
        return SYSTEM_CLOCK if self._key_client is None else self._key_client._lease.clock

    @property
    def _has_private_part(self) -> bool:
        return self._given is not None and _has_private_part(self._given.jwk)

    def _id_of(self, name: Name) -> str:
        return "/".join(filter(None, (self._vault_url, "keys", self._name, name.version)))


def _has_private_part(jwk: Any) -> bool:
    return any(getattr(jwk, part, None) for part in _PRIVATE_PARTS)


def _switch(given: object, *, default: bool) -> bool:
    if given is None:
        return default
    if isinstance(given, bool):
        return given
    raise InvalidArgument(
        f"local must be True, False or None, not {given!r}.",
        hint="local=False sends public-key operations to the service; by default they are done here.",
    )
