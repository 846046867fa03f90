"""Requests that come again are recognised by their heads, byte for byte, and by nothing less."""

import pytest

from tui_chat.server.again import HEADS_MOST, Again, Heads

FIRST = b'{"clientID":"n1","text":"hello"}'


def request(body: bytes, *, path: str = "/v1/sends", length: str | None = None, more: str = "") -> bytes:
    """A request with a body."""
    length = str(len(body)) if length is None else length
    return f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n{more}\r\n".encode() + body


def taken_apart(body: bytes, *more: tuple[bytes, bytes]) -> Again:
    """The same, as the parser has it."""
    pairs = [(b"host", b"here"), (b"content-length", b"%d" % len(body)), *more]
    return Again("POST", "/v1/sends", b"", pairs, dict(pairs), body)


@pytest.fixture
def heads() -> Heads:
    """Those of a connection over which one request came."""
    heads = Heads()
    heads.remember(request(FIRST), taken_apart(FIRST))
    return heads


@pytest.mark.parametrize("body", [FIRST, FIRST[::-1], b"{}", b"x" * 99, b"x" * 100, b"x" * 4_096, b"\r\n\r\n", b"\0"])
def test_another_body_is_the_only_difference(heads: Heads, body: bytes) -> None:
    assert heads.find(request(body)) == taken_apart(body)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        request(FIRST)[:-1],
        request(FIRST) + b"x",
        request(FIRST) + request(FIRST),
        b"\r\n" + request(FIRST),
        request(FIRST, path="/v1/other"),
        request(FIRST).replace(b"HTTP/1.1", b"HTTP/1.0"),
        request(FIRST).replace(b"Host", b"host"),
        request(FIRST).replace(b"here", b"there"),
        request(FIRST, more="Connection: close\r\n"),
        request(FIRST, more="Content-Length: 5\r\n"),
        request(FIRST, more="Transfer-Encoding: chunked\r\n"),
        request(FIRST, length="032"),
        request(FIRST, length="+32"),
        request(FIRST, length="3_2"),
        request(FIRST, length=" 32"),
        request(FIRST, length="32 "),
        request(FIRST, length="32, 32"),
        request(FIRST, length=""),
        request(b"", length="0"),
        request(b"x" * 100_000),
        request(FIRST).replace(b"\r\n\r\n", b"\n\n"),
        request(FIRST).partition(b"\r\n\r\n")[0],
        request(FIRST).partition(b"\r\n")[0],
    ],
)
def test_whatever_else_differs_is_left_to_the_parser(heads: Heads, data: bytes) -> None:
    assert heads.find(data) is None


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (request(b"", length="0"), taken_apart(b"")),
        (request(FIRST) + request(FIRST), taken_apart(FIRST)),
        (request(FIRST)[:-1], taken_apart(FIRST)),
        (b"\r\n\r\n" + request(FIRST), taken_apart(FIRST)),
        (request(FIRST, more="X: %s\r\n" % ("x" * 2_000)), taken_apart(FIRST, (b"x", b"x" * 2_000))),
        (request(FIRST, more="Transfer-Encoding: x\r\n"), taken_apart(FIRST, (b"transfer-encoding", b"x"))),
        (request(FIRST, more="Host: there\r\n"), taken_apart(FIRST, (b"host", b"there"))),
        (
            b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
            Again("GET", "/", b"", [(b"host", b"here")], {b"host": b"here"}, b""),
        ),
    ],
)
def test_what_is_not_one_whole_request_of_the_common_kind_is_not_kept(data: bytes, asked: Again) -> None:
    heads = Heads()
    heads.remember(data, asked)
    assert heads.find(data) is None


def test_only_so_many_are_kept(heads: Heads) -> None:
    for number in range(10 * HEADS_MOST):
        heads.remember(request(FIRST, path=f"/{number}"), taken_apart(FIRST))
    found = [heads.find(request(FIRST, path=f"/{number}")) for number in range(10 * HEADS_MOST)]
    assert 0 < sum(one is not None for one in found) <= HEADS_MOST
