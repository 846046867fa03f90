"""Whether an address is this machine, and how TLS is checked. The standard library's ssl is loaded only when needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def is_loopback(host: str) -> bool:
    """Whether `host` is written as this machine."""
    return host in ("localhost", "::1", "[::1]") or host.startswith("127.")


def context_for(server_url: str) -> "ssl.SSLContext | None":
    """Certificates are checked against the system's store (and SSL_CERT_FILE); None where the address has no TLS.

    Takes some 30 ms: call it on a thread.
    """
    if not server_url.startswith("https:"):
        return None
    import ssl

    return ssl.create_default_context()
