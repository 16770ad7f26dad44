"""The emulator behind real TLS sockets, with a token service beside it, for any client in any process.

One port per vault: ``https://127.0.0.1:PORT``, whose challenges name the resource
``https://0.0.1:PORT``. To the SDK that is a parent domain of the vault's address, so its
verification of challenges stays on, and no name has to be resolved. Two more ports hand out tokens:
plain HTTP, as managed identities have it, and HTTPS, as Entra ID has it. One is the control plane, as
``management.azure.com`` is; a vault that is made through it gets a port of its own.

A connection is made before a request on it is known, so three faults cannot be exactly what they are
elsewhere. ``dns`` and ``refused`` close a connection before TLS begins, ``bad-certificate`` shows it
the certificate of an unknown authority. A fault of the emulator that waits for any request does that to new
connections. One that waits for particular requests resets the connection of such a request, and
the next new one to the same vault fails as described. Connections that fail so are in no journal.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safekv._clock import VirtualClock
from safekv._files import replaced
from safekv.emulator._emulator import Emulator
from safekv.emulator.identity._identity import APP_SERVICE_PATH, IdentityEndpoint, IdentitySettings
from safekv.emulator.identity._tokens import make_token
from safekv.emulator.keeping._state import StateFile
from safekv.emulator.server._addresses import Addresses
from safekv.emulator.server._authority import Certificates, make_certificates
from safekv.emulator.server._environment import Endpoints, IdentityMode, environment
from safekv.emulator.server._listener import Listener, Port
from safekv.emulator.server._services import ManagementService, TokenService, VaultService
from safekv.emulator.server._trust import bundle


class EmulatorServer:
    """An emulator that listens from :meth:`start` to :meth:`stop`, or for a ``with`` block; once.

    :param emulator: what to serve; by default a new one whose clock runs with real time.
    :param vaults: names of vaults to make, or for each name further arguments of ``Emulator.add_vault``,
        such as ``{"plain": {}, "hsm": {"hsm": True}}``.
    :param host: the address to listen on. Anything but loopback needs ``force``.
    :param port: the first vault's port; the next ones follow, then the two token ports and the control plane's. 0: any
        free ones.
    :param state: a file that keeps the contents between runs, and the ports of the vaults; ``port`` goes before those.
    :param ca_file: where to write the certificates that clients trust, to stay there; by default in a private directory
        that ends with the server. The emulator's is the first, then come those that the environment trusted before.
    :param identity: whom the token ports serve; by default somebody in the first vault's tenant. Owns the subscription.
    :raises ValueError: for a host that is not loopback, without ``force``.
    """

    def __init__(
        self,
        emulator: Emulator | None = None,
        *,
        vaults: Sequence[str] | Mapping[str, Mapping[str, Any]] = ("emulator",),
        host: str = "127.0.0.1",
        port: int = 0,
        state: str | os.PathLike[str] | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        identity: IdentitySettings | None = None,
        force: bool = False,
        max_connections: int = 512,
    ) -> None:
        self.host = _checked_host(host, force=force)
        self.emulator = emulator or Emulator(clock=VirtualClock(running=True))
        self._wanted = dict(vaults) if isinstance(vaults, Mapping) else {name: {} for name in vaults}
        first = next(iter(self._wanted.values()), {})
        tenant = first.get("tenant", self.emulator.settings.tenant)
        self.identity = IdentityEndpoint(
            self.emulator.clock, identity or IdentitySettings(tenant=tenant), directory=self.emulator.directory
        )
        if identity is not None:
            self.emulator.own_subscription(self.emulator.directory.find(identity.client_id).oid)
        self._port = port
        self._state = StateFile(state, self.emulator) if state is not None else None
        self._ca_file = Path(ca_file) if ca_file is not None else None
        self._max_connections = max_connections
        self._ports: dict[str, Port] = {}
        self._endpoints: Endpoints | None = None
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> EmulatorServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> EmulatorServer:
        """Listen. When this returns, every port answers.

        :raises OSError: if an address is taken, or a file cannot be written.
        :raises StateFileError: if the state file is there and cannot be used; it stays as it is.
        """
        if self._endpoints is not None:
            raise RuntimeError("this server has been started before; make another EmulatorServer to start again")
        with self._cleanup as cleanup:
            # Not a TemporaryDirectory: that would be removed when a forked child exits, too.
            directory = Path(tempfile.mkdtemp(prefix="safekv-emulator-"))
            cleanup.callback(shutil.rmtree, directory, ignore_errors=True)
            self._listener = Listener(max_connections=self._max_connections)
            cleanup.callback(self._listener.stop)
            certificates = make_certificates(self.host)
            self._addresses = Addresses(self.host, self._port, self._state.read() if self._state else {})
            cleanup.callback(self._addresses.close)
            for name, options in self._wanted.items():
                self._serve_vault(name, options, certificates)
            cleanup.callback(setattr, self.emulator, "place", self.emulator.place)
            self.emulator.place = lambda name: self._place(name, certificates)
            if self._state:
                self._state.start()
                cleanup.callback(self._state.stop)
            self._addresses.close()
            self._endpoints = self._publish(directory, certificates)
            self._listener.start()
            self._cleanup = cleanup.pop_all()
        return self

    def stop(self) -> None:
        """Close everything, save the contents if there is a state file, and remove temporary files.

        Takes 2 seconds at the most, whatever clients do. Harmless if called again.

        :raises OSError: if the contents cannot be saved.
        """
        self._cleanup.close()

    @property
    def vault_urls(self) -> dict[str, str]:
        """URLs by name, in the order of ``vaults``."""
        return dict(self._running().vaults)

    @property
    def moved(self) -> dict[str, str]:
        """The former URLs of vaults that are elsewhere than in the run before, as far as ``state`` knows it.

        Their ports were taken, or ``port`` says so. What names such an address, a key ring say, fails.
        """
        self._running()
        return {name: f"https://{authority}" for name, authority in self._addresses.moved.items()}

    @property
    def management_url(self) -> str:
        """Where the control plane is: the ``base_url`` for clients of azure-mgmt-keyvault and -authorization."""
        return self._running().management_url

    @property
    def ca_file(self) -> str:
        """The file with the certificates that clients trust: the emulator's, and what was trusted before."""
        return self._running().ca_file

    @property
    def connections(self) -> int:
        """TLS connections to vaults that have been accepted so far, and finished their handshake."""
        return sum(port.connections for port in self._ports.values())

    def environment(self, identity: IdentityMode = "managed") -> dict[str, str]:
        """The variables that an unmodified client needs; see :func:`._environment.environment`."""
        return environment(self._running(), identity)

    # Starting

    def _serve_vault(self, name: str, options: Mapping[str, Any], certificates: Certificates) -> None:
        place = self._place(name, certificates)
        self.emulator.add_vault(name, **{**place, **options, "authority": place["authority"]})

    def _place(self, name: str, certificates: Certificates) -> dict[str, str]:
        """A port for a vault: arguments of ``Emulator.add_vault``."""
        listening, authority = self._addresses.for_vault(name)
        self._ports[name] = Port(listening, VaultService(self.emulator, authority, self._changed), certificates)
        self._listener.add(self._ports[name])
        return {"authority": authority, "resource": _resource(authority)}

    def _publish(self, directory: Path, certificates: Certificates) -> Endpoints:
        """Open the token ports, write the files that clients read, and say where everything is."""
        settings = self.identity.settings
        ca_file, token_file = self._ca_file or directory / "ca.pem", directory / "federated-token"
        trusted = bundle(certificates.ca)  # read first: the file may be what an earlier emulator's variables name
        with replaced(ca_file) as file:
            file.write(trusted)
        claims = {"sub": "system:serviceaccount:default:emulator", "aud": "api://AzureADTokenExchange"}
        token_file.write_text(make_token(claims), encoding="ascii")
        return Endpoints(
            vaults={name: f"https://{port.service.authority}" for name, port in self._ports.items()},
            ca_file=str(ca_file.absolute()),
            token_url=f"http://{self._serve_tokens(None)}{APP_SERVICE_PATH}",
            identity_header=settings.identity_header,
            login_url=f"https://{self._serve_tokens(certificates)}",
            tenant=settings.tenant,
            client_id=settings.client_id,
            federated_token_file=str(token_file),
            management_url=f"https://{self._serve_management(certificates)}",
            subscription=self.emulator.settings.subscription,
            resource_group=self.emulator.settings.resource_group,
        )

    def _serve_management(self, certificates: Certificates) -> str:
        listening, authority = self._addresses.another()
        self._listener.add(Port(listening, ManagementService(self.emulator, authority, self._changed), certificates))
        return authority

    def _serve_tokens(self, certificates: Certificates | None) -> str:
        listening, authority = self._addresses.another()
        self._listener.add(Port(listening, TokenService(self.identity, authority), certificates))
        return authority

    def _changed(self) -> None:
        if self._state:
            self._state.changed()

    def _running(self) -> Endpoints:
        if self._endpoints is None:
            raise RuntimeError("the server has not been started; call start(), or use it in a with statement")
        return self._endpoints


def _checked_host(host: str, *, force: bool) -> str:
    """The host as an address where it is one; loopback unless ``force``."""
    host = "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")
    if not force and not _is_loopback(host):
        raise ValueError(
            f"host={host!r} can be reached from other machines, and the emulator protects nothing: it lets "
            'everybody in. Use host="127.0.0.1", or force=True (--force) if you really mean it'
        )
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _resource(authority: str) -> str:
    """A resource that the SDK accepts for a vault at this authority: what follows the first dot.

    An address of IPv6 has no such thing: clients need ``verify_challenge_resource=False`` there.
    """
    return f"https://{authority.partition('.')[2] or authority}"
