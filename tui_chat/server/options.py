"""What a server is started with, and what of it is refused before anything is opened."""

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

DATABASE = "tui-chat.sqlite"
"""The database's name in the data directory."""
LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


class CannotServe(OSError):
    """The server cannot start; `str()` is one line that says why and what to do."""


class HashParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of argon2id; the default is the first of OWASP's equal choices: 46 MiB, one pass, one lane."""

    memory_kib: int = 47_104
    passes: int = 1
    lanes: int = 1


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How `serve` listens and where it keeps its data."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8790
    """0 takes a free one."""
    data: Path
    """Directory of the database; made, with 0700, where it does not exist."""
    database: str | None = None
    """Where PostgreSQL is that keeps the data: postgresql://USER@HOST/NAME; None: SQLite in `data`."""
    bus: str | None = None
    """How processes that share a database tell each other: `local` (there are no others), `postgres`, the address of
    PostgreSQL where that of `database` leads through a pooler, or those of NATS servers, with commas. None: `postgres`
    where the data is in PostgreSQL."""
    workers: int = 1
    """Processes that share the address."""
    sync_deletions: bool | None = None
    """Turn the sync of deletions on or off at the start; None leaves it as it is."""
    public_url: str | None = None
    """Where others reach the server, behind a proxy: closes open registration."""
    insecure: bool = False
    """Allow plain HTTP beyond this machine."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxy: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For is believed."""
    origins: tuple[str, ...] = ()
    """Values of `Origin` that are let in; a terminal client sends none."""
    backups: Path | None = None
    """Where POST /v1/admin/backup puts them; None: `backups` in the data directory."""
    metrics_token: str | None = None
    """Who shows it may read /metrics from anywhere; without one only requests from this machine may."""
    access_log: bool = False
    """Log each request: its address' pattern, never its parameters."""
    passwords: HashParameters = HashParameters()

    def check(self) -> None:
        """Refuse what must not be started.

        Raises:
            CannotServe: a database of another kind, half a TLS pair, an address that is none, plain HTTP beyond
                loopback without `insecure`, or several processes where there can be one alone.
        """
        if self.database is not None and not is_postgres(self.database):
            raise CannotServe("--database takes the address of a PostgreSQL database: postgresql://USER@HOST/NAME")
        self._check_processes()
        if (self.tls_cert is None) != (self.tls_key is None):
            raise CannotServe("TLS needs both a certificate (--tls-cert) and its key (--tls-key)")
        if self.public_url is not None and not _is_web_address(self.public_url):
            raise CannotServe(f"--public-url {self.public_url}: that is no address such as https://chat.example.org")
        for origin in self.origins:
            if not _is_origin(origin):
                raise CannotServe(
                    f"--origin {origin}: that is no origin such as https://chat.example.org, without a path"
                )
        for address in self.trusted_proxy:
            if address_of(address) is None:
                raise CannotServe(f"--trusted-proxy {address}: that is no IP address")
        if self.tls_cert is None and not self.insecure and not is_loopback(self.host):
            raise CannotServe(
                f"plain HTTP on {self.host} would send passwords readable over the network: give --tls-cert and "
                "--tls-key, or listen on 127.0.0.1 behind a proxy, or say --insecure"
            )

    @property
    def kept_in(self) -> str:
        """Where the data is, as a log may say it: the directory, or the database's address without its password."""
        if self.database is None:
            return str(self.data)
        # As libpq takes it apart, to whom ? and # in a password are letters: urllib would show what follows them.
        authority, _, name = self.database.partition("://")[2].partition("/")
        user, at, hosts = authority.rpartition("@")
        return f"postgresql://{user.partition(':')[0]}{at}{hosts.partition('?')[0]}/{name.partition('?')[0]}"

    @property
    def bus_address(self) -> str | None:
        """Where the bus is; None where there are no other processes."""
        if self.database is None or self.bus == "local":
            return None
        return self.database if self.bus in (None, "postgres") else self.bus

    def _check_processes(self) -> None:
        bus = self.bus
        if bus is not None and bus not in ("local", "postgres") and not is_postgres(bus) and not _is_nats(bus):
            raise CannotServe(
                "--bus takes local, postgres, postgresql://USER@HOST/NAME, or nats://HOST:PORT (several with commas)"
            )
        if self.workers < 1:
            raise CannotServe("--workers takes a number from 1")
        if self.database is None and self.workers > 1:
            raise CannotServe(
                "--workers needs PostgreSQL, since SQLite is for one process: --database postgresql://USER@HOST/NAME"
            )
        if self.database is None and bus not in (None, "local"):
            raise CannotServe(
                "--bus is for several processes at one PostgreSQL, and SQLite is for one process: give --database "
                "postgresql://USER@HOST/NAME, or leave --bus out"
            )
        if self.workers > 1 and bus == "local":
            raise CannotServe("--workers with --bus local: several processes need --bus postgres or nats://HOST:PORT")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # as for half an IPv6 address
        return False


def _is_origin(text: str) -> bool:
    """Whether browsers could send it as `Origin`: with a slash at its end, or in capitals, it would fit none."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.hostname) and text == f"{parts.scheme}://{parts.netloc.lower()}"


def _is_nats(addresses: str) -> bool:
    return all(address.startswith(("nats://", "tls://")) for address in addresses.split(","))


def is_postgres(address: str) -> bool:
    """Whether that is the address of a PostgreSQL database, as its own tools take it."""
    return address.startswith(("postgresql://", "postgres://"))


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that the text is, an IPv4 one out of its IPv6 clothes; None where it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(host: str) -> bool:
    """Whether the host, a literal address or a name, is this machine alone."""
    address = address_of(host)
    return address.is_loopback if address is not None else host.lower() in LOOPBACK_NAMES


def host_of(header: str) -> str:
    """The host of a `Host` header, without its port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0] if header.count(":") == 1 else header
