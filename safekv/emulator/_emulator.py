"""The emulator: its vaults, and the way of a request through it."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from safekv._clock import VirtualClock
from safekv.emulator import _access_snapshot, _answers, _arm, _control, _faults, _router, _snapshot
from safekv.emulator._access import RoleAssignment
from safekv.emulator._access_roles import OWNER
from safekv.emulator._arm_resource import Rules, VaultResource
from safekv.emulator._auth import bearer_token
from safekv.emulator._backup import Sealer
from safekv.emulator._call import Call
from safekv.emulator._directory import Directory, id_of
from safekv.emulator._fault import Body, Delay, Fault
from safekv.emulator._faults import Faults, Outcome
from safekv.emulator._grants import Grants
from safekv.emulator._identity import IdentityEndpoint, IdentitySettings
from safekv.emulator._journal import Journal
from safekv.emulator._lifecycle import Policy
from safekv.emulator._messages import Network, NetworkFault, Reply, Request, Response
from safekv.emulator._pipeline import Service
from safekv.emulator._propagating import Propagating
from safekv.emulator._seeding import EmulatedVault
from safekv.emulator._settings import EmulatorSettings, Limits
from safekv.emulator._vault import Surroundings

_DEFAULTS = EmulatorSettings()


class Emulator:
    """Key Vaults that run anywhere. Thread-safe: one request at a time.

    :param clock: the time; by default it stands still until it is advanced.
    :param seed: of everything that is left to chance (version ids, request ids, faults).
    """

    def __init__(
        self, *, clock: VirtualClock | None = None, seed: int = 0, settings: EmulatorSettings = _DEFAULTS
    ) -> None:
        self.clock = clock or VirtualClock()
        self.settings = settings
        self.journal = Journal(settings.journal_size)
        self._lock = threading.RLock()
        self._random = random.Random(seed)  # noqa: S311  (repeatable on purpose)
        self.directory = Directory()
        self.grants = Grants(settings.propagation)
        self.groups = {settings.resource_group.lower()}
        self.identity = IdentityEndpoint(self.clock, IdentitySettings(tenant=settings.tenant), directory=self.directory)
        #: Where a vault goes that is made through the control plane: arguments of ``add_vault``.
        self.place: Callable[[str], Mapping[str, str]] = lambda name: {}
        self._surroundings = Surroundings(
            self.clock, settings, self._random, Sealer(seed), self._lock, self.directory, self.grants
        )
        self._vaults: dict[str, EmulatedVault] = {}
        self._login = urlsplit(settings.login).netloc.lower()
        self._owners = {self.directory.default.oid}
        self._begin_grants()
        self._service = Service(self._surroundings)
        self._faults = Faults(seed)

    @property
    def vaults(self) -> Mapping[str, EmulatedVault]:
        """The vaults by authority."""
        return MappingProxyType(self._vaults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that wait, oldest first."""
        return tuple(self._faults)

    def add_vault(
        self,
        name: str,
        *,
        authority: str | None = None,
        resource: str | None = None,
        tenant: str | None = None,
        hsm: bool = False,
        purge_protection: bool = False,
        retention_days: int = 90,
        limits: Limits | None = None,
        enforce: bool | None = None,
        rbac: bool = False,
        resource_group: str | None = None,
    ) -> EmulatedVault:
        """Make a vault, or a Managed HSM (``hsm``).

        ``authority`` is its host, with the port unless that is 443 (default: as in the public
        cloud), ``resource`` what tokens are for, ``retention_days`` (7 to 90) how long deleted
        objects are kept. ``enforce``: only whom an access policy, or with ``rbac`` a role, lets in
        gets in, and into an HSM whom a local role lets in (default: as the settings say);
        ``resource_group`` is where the control plane has it.
        ``ValueError`` if the name or the authority is taken or impossible.
        """
        domain = "managedhsm.azure.net" if hsm else "vault.azure.net"
        vault = EmulatedVault(
            _checked("name", name, r"[0-9A-Za-z-]+", "my-vault"),
            authority=_checked(
                "authority", authority or f"{name}.{domain}", r"[^\s/?#@\\]+", f"my-vault.{domain}"
            ).lower(),
            resource=resource or f"https://{domain}",
            tenant=tenant or self.settings.tenant,
            hsm=hsm,
            policy=Policy(purge_protection, retention_days, self.settings.delete_delay, self.settings.recover_delay),
            limits=limits or self.settings.limits,
            surroundings=self._surroundings,
            resource_state=None if hsm else self._resource(name, resource_group, rbac=rbac),
            enforce=self.settings.enforce if enforce is None else enforce,
        )
        with self._lock:
            for other in self._vaults.values():
                if vault.authority == other.authority or vault.name.lower() == other.name.lower():
                    raise ValueError(f"there is a vault {other.name!r} at {other.authority} already")
            self._vaults[vault.authority] = vault
            if vault.arm is not None:
                self.groups.add(vault.arm.group.lower())
        return vault

    def new_vault(self, name: str, **options: Any) -> EmulatedVault:
        """The same, where vaults go that are made through the control plane."""
        vault = self.add_vault(name, **{**self.place(name), **options})
        if vault.arm is not None:
            vault.arm.made = True
        return vault

    def remove_vault(self, vault: EmulatedVault) -> None:
        """Forget a vault with all that it holds."""
        with self._lock:
            self._vaults.pop(vault.authority, None)

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        if request.path.startswith(_control.PREFIX):
            return _control.answer(self, request)
        if request.authority == self._login and request.authority not in self._vaults:
            return self.identity.handle(request)
        if request.authority == _arm.HOST:
            return self.manage(request)
        with self._lock:
            return self._handle(request, self.clock.time())

    def manage(self, request: Request) -> Reply:
        """Answer one request to the control plane, under whatever authority it is reached."""
        with self._lock:
            now, bearer = self.clock.time(), bearer_token(request) is not None
            outcome = self._faults.decide(request, None, None, bearer=bearer)
            reply = self._managed(request, outcome, now)
        status = reply.status if isinstance(reply, Response) else None
        self.journal.note(request, time=now, status=status, operation=None, fault=outcome.kind, bearer=bearer)
        return reply

    def fail(
        self,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        vault: str | None = None,
        status: int | None = None,
        error: str | None = None,
        network: Network | str | None = None,
        html: bool = False,
        delay: Delay = 0.0,
        nth: int | None = None,
        count: int | None = 1,
        probability: float = 1.0,
        retry_after: float | None = None,
        retry_after_style: str = "seconds",
        body: Body | None = None,
    ) -> Fault:
        """Let requests fail that match all of ``operation`` (a method name of the Python SDK), ``method``,
        ``path`` (a regular expression) and ``vault`` (name or authority).

        From the ``nth`` such request on (1 is the first), ``count`` of them fail (None: for ever),
        each with ``probability``. They get ``status``, or the ``error`` with this id in the
        catalogue, or an ``html`` page, or ``body``, or the connection fails as ``network``
        says; ``delay`` (seconds, ``{"uniform": [a, b]}`` or ``{"lognormal": [median, sigma]}``)
        comes before that, or before the ordinary answer. ``retry_after`` is in seconds.

        A fault given by ``operation``, or with an ``error`` about tokens, leaves alone the request
        without a token that a client begins with; other faults meet that one too. Requests to the
        control plane are met by ``path`` alone, such as ``"Microsoft.KeyVault/vaults"``.
        """
        fault = Fault(
            operation=operation,
            method=method,
            path=path,
            vault=vault,
            status=status,
            error=error,
            network=network,  # type: ignore[arg-type]  # made a Network by Fault
            html=html,
            delay=delay,
            nth=nth,
            count=count,
            probability=probability,
            retry_after=retry_after,
            retry_after_style=retry_after_style,
            body=body,
        )
        with self._lock:
            return self._faults.add(fault)

    def own_subscription(self, oid: str) -> None:
        """Let an object id manage all that is in the subscription; that opens nothing in a vault."""
        with self._lock:
            self._owners.add(oid)
            scope = f"/subscriptions/{self.settings.subscription}"
            self.grants.begin_with(RoleAssignment(id_of(f"owner {oid}"), OWNER, oid, scope))

    def clear_faults(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def reset(self) -> None:
        """Empty the vaults, and forget who may what, faults, journal, throttling, revoked tokens, required claims."""
        with self._lock:
            for vault in self._vaults.values():
                vault.empty()
            self._surroundings.backups.clear()
            self._begin_grants()
            self._faults.clear()
            self._service.authentication.reset()
            self.journal.clear()

    def revoke_tokens(self) -> None:
        """Answer 401 to every token that was presented until now, or that is ours and was issued earlier."""
        with self._lock:
            self._service.authentication.revoke(self.clock.time())

    def require_claims(self, claims_json: str | None) -> None:
        """Challenge every token that lacks these claims, as continuous access evaluation does; None lifts it.

        ``claims_json`` is a claims request, e.g. ``{"access_token": {"acrs": {"essential": true,
        "value": "c1"}}}``. Only tokens of ours can carry claims: see ``granted_claims``.
        """
        with self._lock:
            self._service.authentication.require(claims_json)

    def snapshot(self) -> dict[str, Any]:
        """All contents as JSON-able data, values in clear."""
        with self._lock:
            managed = _access_snapshot.dump(self._vaults.values(), self.grants, self.directory, self.groups)
            return {**_snapshot.dump(self._vaults.values(), self._surroundings.backups), "control_plane": managed}

    def restore(self, document: dict[str, Any]) -> None:
        """Replace all contents by a snapshot's. ``ValueError`` says what is wrong with it, and changes nothing."""
        contents, managed = _access_snapshot.taken_out(document)
        with self._lock:
            before = set(self._vaults)
            try:
                self._make_again(managed.made() if managed else ())
                _snapshot.load(contents, self._vaults.values(), self._surroundings.backups)
            except ValueError:
                for authority in set(self._vaults) - before:
                    del self._vaults[authority]
                raise
            if managed:
                managed.put(self._vaults.values(), self.grants, self.directory, self.groups)

    def _make_again(self, names: Iterable[str]) -> None:
        """The vaults of these names that are not there."""
        there = {vault.name.lower() for vault in self._vaults.values()}
        for name in names:
            if name.lower() not in there:
                self.new_vault(name)

    def _handle(self, request: Request, now: float) -> Reply:
        vault = self._vaults.get(request.authority)
        if vault is None or not vault.reachable:
            dns = Network.DNS
            self.journal.note(request, time=now, status=None, operation=None, fault=dns.value, bearer=False)
            return NetworkFault(dns)
        target = _router.find(request.method, request.path, hsm=vault.hsm)
        call = Call(vault, request, target, bearer_token(request), now)
        bearer = call.token is not None
        outcome = self._faults.decide(request, vault, call.operation, bearer=bearer)
        reply = self._reply(call, outcome)
        status = reply.status if isinstance(reply, Response) else None
        self.journal.note(request, time=now, status=status, operation=call.operation, fault=outcome.kind, bearer=bearer)
        return reply

    def _reply(self, call: Call, outcome: Outcome) -> Reply:
        """What the faults leave of the service's answer."""
        fault = outcome.instead
        if fault and fault.network:
            return NetworkFault(fault.network, delay=outcome.delay)
        response = self._faulty(call, fault) if fault else self._service.answer(call)
        response = _answers.with_service_headers(
            response, call.request, self.settings, self._new_request_id(), self.clock.time()
        )
        return self._delivered(response, outcome)

    def _delivered(self, response: Response, outcome: Outcome) -> Reply:
        """What arrives of an answer that was given."""
        if outcome.afterwards:
            cut = response if outcome.afterwards is Network.TRUNCATED else None
            return NetworkFault(outcome.afterwards, cut, outcome.delay)
        return replace(response, delay=outcome.delay) if outcome.delay else response

    def _managed(self, request: Request, outcome: Outcome, now: float) -> Reply:
        """The same of the control plane's answer."""
        fault = outcome.instead
        if fault and fault.network:
            return NetworkFault(fault.network, delay=outcome.delay)
        response = _faults.answer(fault, {}, now) if fault else _arm.answer(self, request, now)
        response = _answers.with_arm_headers(response, request, self._new_request_id(), now)
        return self._delivered(response, outcome)

    def _faulty(self, call: Call, fault: Fault) -> Response:
        vault = call.vault
        places = {"name": call.name, "vault": vault.name, "region": vault.region, "tenant": vault.tenant}
        response = _faults.answer(fault, places, call.now)
        if response.status == 401:
            challenge = self._service.authentication.challenge_header(vault)
            response = replace(response, headers={**challenge, **response.headers})
        return response

    def _resource(self, name: str, group: str | None, *, rbac: bool) -> VaultResource:
        now, settings = self.clock.time(), self.settings
        rules = Propagating(Rules(rbac), settings.propagation)
        group = _checked("resource_group", group or settings.resource_group, r"[-\w.()]{1,90}", "my-group")
        return VaultResource(name, settings.subscription, group, settings.region, rules, created=now, ready=now)

    def _begin_grants(self) -> None:
        self.grants.clear()
        for oid in sorted(self._owners):
            self.own_subscription(oid)

    def _new_request_id(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _checked(what: str, given: str, pattern: str, example: str) -> str:
    if not re.fullmatch(pattern, given):
        raise ValueError(f"{what} must be like {example!r}, not {given!r}")
    return given
