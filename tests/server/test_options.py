"""What must not be started is refused, in one line."""

from pathlib import Path

import pytest

from tui_chat.server.auth import may_register_freely
from tui_chat.server.options import CannotServe, ServerOptions, host_of, is_loopback


def options(tmp_path: Path, **more: object) -> ServerOptions:
    return ServerOptions(data=tmp_path, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "chat.example.org"])
def test_plain_http_beyond_loopback_needs_to_be_asked_for(tmp_path: Path, host: str) -> None:
    with pytest.raises(CannotServe, match="--insecure"):
        options(tmp_path, host=host).check()
    options(tmp_path, host=host, insecure=True).check()
    options(tmp_path, host=host, tls_cert=tmp_path / "c", tls_key=tmp_path / "k").check()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_plain_http_on_loopback_is_fine(tmp_path: Path, host: str) -> None:
    options(tmp_path, host=host).check()


def test_half_a_tls_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="--tls-key"):
        options(tmp_path, tls_cert=tmp_path / "c").check()


def test_a_trusted_proxy_is_an_address(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="no IP address"):
        options(tmp_path, trusted_proxy=("proxy.example.org",)).check()


@pytest.mark.parametrize("url", ["chat.example.org", "ftp://chat.example.org", "https://", "https://[::1"])
def test_a_public_url_is_one(tmp_path: Path, url: str) -> None:
    with pytest.raises(CannotServe, match="--public-url"):
        options(tmp_path, public_url=url).check()


@pytest.mark.parametrize(
    "origin", ["chat.example.org", "https://chat.example.org/", "https://", "*", "https://[::1", "HTTPS://a.b"]
)
def test_an_origin_is_one(tmp_path: Path, origin: str) -> None:
    with pytest.raises(CannotServe, match="--origin"):
        options(tmp_path, origins=(origin,)).check()
    options(tmp_path, origins=("https://chat.example.org:8443", "app://-", "http://localhost")).check()


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("postgresql://chat:secret@db:5433/chat?sslmode=require", "postgresql://chat@db:5433/chat"),
        ("postgres://chat:se?c#ret@one,two/chat?password=secret", "postgresql://chat@one,two/chat"),
        ("postgresql:///chat?host=/run/postgresql", "postgresql:///chat"),
        ("postgresql://db?password=secret", "postgresql://db/"),
    ],
)
def test_where_the_data_is_can_be_said_without_a_password(tmp_path: Path, database: str, said: str) -> None:
    assert options(tmp_path, database=database).kept_in == said
    assert options(tmp_path).kept_in == str(tmp_path)


POSTGRES = "postgresql://db/chat"


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"workers": 2}, "--workers needs PostgreSQL"),
        ({"bus": "postgres"}, "--database"),
        ({"bus": "nats://one:4222"}, "--database"),
        ({"workers": 0, "database": POSTGRES}, "from 1"),
        ({"workers": 2, "database": POSTGRES, "bus": "local"}, "--bus postgres"),
        ({"database": POSTGRES, "bus": "redis://here"}, "nats://HOST:PORT"),
        ({"database": POSTGRES, "bus": "nats://one,redis://two"}, "nats://HOST:PORT"),
    ],
)
def test_several_processes_where_there_can_be_one_are_refused(
    tmp_path: Path, more: dict[str, object], named: str
) -> None:
    with pytest.raises(CannotServe, match=named) as refused:
        options(tmp_path, **more).check()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ({}, None),
        ({"bus": "local"}, None),
        ({"database": POSTGRES}, POSTGRES),
        ({"database": POSTGRES, "bus": "local"}, None),
        ({"database": POSTGRES, "workers": 4}, POSTGRES),
        ({"database": POSTGRES, "bus": "postgresql://direct/chat"}, "postgresql://direct/chat"),
        ({"database": POSTGRES, "bus": "nats://one:4222,tls://two:4222"}, "nats://one:4222,tls://two:4222"),
    ],
)
def test_which_bus_there_is(tmp_path: Path, more: dict[str, object], address: str | None) -> None:
    found = options(tmp_path, **more)
    found.check()
    assert found.bus_address == address


@pytest.mark.parametrize(
    ("header", "host"),
    [("127.0.0.1:8790", "127.0.0.1"), ("localhost", "localhost"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("", "")],
)
def test_host_headers(header: str, host: str) -> None:
    assert host_of(header) == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "LOCALHOST"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1.example.org", "localhost.example.org", "10.0.0.1", "", "0.0.0.0"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


LOCAL = {b"host": b"127.0.0.1:8790"}


def test_who_is_on_this_machine_registers_freely(tmp_path: Path) -> None:
    assert may_register_freely(options(tmp_path), "127.0.0.1", LOCAL)
    assert may_register_freely(options(tmp_path, host="::1"), "::1", {b"host": b"[::1]:8790"})


@pytest.mark.parametrize(
    ("more", "peer", "headers"),
    [
        ({"public_url": "https://chat.example.org"}, "127.0.0.1", LOCAL),
        ({"host": "0.0.0.0", "insecure": True}, "127.0.0.1", LOCAL),
        ({}, "10.0.0.7", LOCAL),
        ({}, None, LOCAL),
        ({}, "127.0.0.1", {b"host": b"chat.example.org"}),
        ({}, "127.0.0.1", {}),
        ({}, "127.0.0.1", LOCAL | {b"x-forwarded-for": b"10.0.0.7"}),
        ({}, "127.0.0.1", LOCAL | {b"x-forwarded-proto": b"https"}),
        ({}, "127.0.0.1", LOCAL | {b"forwarded": b"for=10.0.0.7"}),
    ],
)
def test_everyone_else_needs_an_invitation(
    tmp_path: Path, more: dict[str, object], peer: str | None, headers: dict[bytes, bytes]
) -> None:
    assert not may_register_freely(options(tmp_path, **more), peer, headers)
