"""Requests that come whole are answered without ASGI, others with it, and nobody can tell: any bytes at all, sent in
one piece, in pieces, byte by byte and by ASGI alone, bring the same answers."""

import asyncio
import gzip
import itertools
import json
import logging
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.accounts import PASSWORD
from tests.servers import CHEAP, AdjustableClock
from tui_chat.protocol import limits
from tui_chat.server import transport
from tui_chat.server.operations import crowdlog
from tui_chat.server.run import ServerOptions, running

from .raw_socket import KEY
from .two_ways import Answer, Came, Ways

SEND = "/v1/conversations/C2Cbob/messages"
READ_BYTES = 256 * 1024
"""What a loop reads at once."""


class Somebody(NamedTuple):
    """A server's HTTP, and a token that is good there."""

    ways: Ways
    token: str


@asynccontextmanager
async def somebody(data: Path) -> AsyncIterator[Somebody]:
    """A server with alice and bob, who talk; no limit stands in the way."""
    clock = AdjustableClock()
    times = itertools.count(0, 1_000)
    options = ServerOptions(port=0, data=data, passwords=CHEAP)
    async with running(options, clock=clock, monotonic=lambda: float(next(times))) as server:
        server.services.tokens._clock = lambda: 0  # so that how often somebody looks is all the same
        ways = Ways(server, options)

        async def post(path: str, body: Any, token: str | None = None) -> Any:
            came = await ways.ask([request("POST", path, json.dumps(body).encode(), token)], "POST")
            assert came.answers[0].status == 200, came
            return json.loads(came.answers[0].body)

        await server.engine.write(
            lambda tx: tx.execute("INSERT INTO setting (name, value) VALUES ('registration', '\"open\"')")
        )
        tokens = [
            (await post("/v1/register", {"userID": name, "password": PASSWORD, "deviceName": "laptop"}))["accessToken"]
            for name in ("alice", "bob")
        ]
        for number in range(3):
            await post("/v1/conversations/C2Calice/messages", {"clientID": f"b{number}", "text": "hello"}, tokens[1])
        await post("/v1/groups", {"groupID": "team", "name": "Team", "members": ["alice"]}, tokens[1])
        await server.engine.write(crowdlog.spread)  # so that nothing goes on by itself
        yield Somebody(ways, tokens[0])


def request(
    method: str,
    target: str,
    body: bytes | None = None,
    token: str | None = None,
    *more: str,
    version: str = "HTTP/1.1",
    end: str = "\r\n",
) -> bytes:
    """A request as it should be, unless told otherwise."""
    lines = [f"{method} {target} {version}", "Host: 127.0.0.1", *more]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return end.join([*lines, "", ""]).encode("latin-1") + (body or b"")


class Dice:
    """Requests, most of them with something wrong."""

    def __init__(self, seed: int, token: str) -> None:
        self._random = random.Random(seed)
        self._token = token

    def one(self) -> tuple[str, bytes]:
        """A method and what is sent with it."""
        roll = self._random
        method = roll.choice(
            ("GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "get")
        )
        if roll.random() < 0.03:
            method = roll.choice(("BREW", "PRI", "CONNECT", "G E T", "", "SUBSCRIBE", "M-SEARCH", "QUERY"))
        target = self._target()
        body = self._body() if method not in ("GET", "HEAD") or roll.random() < 0.2 else None
        headers = self._headers()
        version = roll.choices(("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "", "http/1.1"), (90, 5, 1, 1, 1, 1))[0]
        end = roll.choices(("\r\n", "\n", "\r"), (95, 4, 1))[0]
        token = roll.choices((self._token, None, "nonsense", "ü"), (90, 5, 3, 1))[0]
        framing = roll.random()
        if body is None or framing < 0.75:
            sent = request(method, target, body, token, *headers, version=version, end=end)
        elif framing < 0.85:
            chunked = roll.choice(("chunked", "Chunked", "chunked", "gzip, chunked", "identity", "chunked, gzip"))
            head = request(method, target, None, token, *headers, f"Transfer-Encoding: {chunked}", version=version)
            sent = head + self._chunks(body)
        elif framing < 0.90:
            length = roll.choice((str(len(body)), "0", "3", f"+{len(body)}", f" {len(body)}", f"0{len(body)}"))
            extra = (f"Content-Length: {length}", "Transfer-Encoding: chunked")
            head = request(method, target, None, token, *headers, *roll.sample(extra, 2), version=version)
            sent = head + self._chunks(body)
        else:
            length = roll.choice(
                ("-1", "abc", "", "1e3", f"{len(body)},{len(body)}", f"0{len(body)}", "0x10", "9" * 30, f"{len(body)} ")
            )
            twice = (f"Content-Length: {len(body)}",) if roll.random() < 0.3 else ()
            head = request(method, target, None, token, *headers, *twice, f"Content-Length: {length}", version=version)
            sent = head + body
        if roll.random() < 0.03:
            place = roll.randrange(len(sent))
            sent = sent[:place] + bytes([roll.randrange(256)]) + sent[place + roll.randrange(2) :]
        return method, sent

    def _target(self) -> str:
        roll = self._random
        known = (
            "/v1/me", SEND, "/v1/conversations", "/v1/conversations/C2Cbob", "/v1/conversations/GROUPteam/messages",
            "/v1/conversations/%40TIM%23SYSTEM", "/v1/users/bob", "/v1/users", "/v1/devices", "/v1/search?q=hello",
            "/v1/sync", "/v1/sync?limit=1", "/v1/conversations/read", "/v1/conversations/flags", "/v1/groups/team",
            "/v1/conversations/delete", "/v1/groups/team/members", "/v1/admin/settings", "/openapi.json", "/metrics",
            "/v1/stream", "/v1/login", "/v1/token/refresh", "/v1/register", "/", "/nothing", "*", "", "/v1/export",
        )  # fmt: skip
        target = roll.choice(known)
        for _ in range(roll.choices((0, 1, 2), (60, 30, 10))[0]):
            match roll.randrange(12):
                case 0:
                    target = target.replace("/", "//", roll.randrange(1, 3))
                case 1:
                    target += roll.choice(("?", "?x=1", "?limit=1&limit=2", "?limit=%31", "?limit=a", "?&&=", "?q=%"))
                case 2:
                    target += roll.choice(("#part", "/", "/..", "/.", "%2e%2e", "%00", "%ff", "%", "%2", "%zz", ";a=b"))
                case 3:
                    target = "http://127.0.0.1" + target
                case 4:
                    target = (
                        roll.choice(("http://evil.example", "//evil.example", "http://", "https:", "foo:")) + target
                    )
                case 5 if target:
                    place = roll.randrange(len(target))
                    target = target[:place] + f"%{ord(target[place]):02x}" + target[place + 1 :]
                case 6:
                    target += "/" + "a" * roll.choice((255, 256, 257, 5_000, 40_000))
                case 7:
                    target = target.replace(
                        "C2Cbob", roll.choice(("c2cbob", "C2Cüñ", "C2C%E4%BD%A0", "C2C", "C2Ca%2Fb"))
                    )
                case 8:
                    target += roll.choice(("?" + "a=1&" * 30, "?limit=" + "9" * 400, "?since=%F0%9F%98%80", "?since=é"))
                case _:
                    pass
        return target

    def _body(self) -> bytes:
        roll = self._random
        good = {"clientID": "same", "text": "hello"}
        return roll.choice(
            (
                json.dumps(good).encode(),
                json.dumps(good).encode(),
                b"",
                b"{}",
                b"{",
                b"null",
                b"[" * 2_000,
                b'{"clientID":"same","text":"hello","text":"twice"}',
                b'{"clientID":"same","text":"\\ud800"}',
                b'{"clientID":"same","text":"\xff\xfe"}',
                json.dumps(good).encode("utf-16"),
                b"\xef\xbb\xbf" + json.dumps(good).encode(),
                gzip.compress(json.dumps(good).encode(), mtime=0),
                json.dumps({**good, "surprise": 1}).encode(),
                json.dumps({"conversationIDList": ["C2Cnobody"], "pinned": True}).encode(),
                json.dumps({"userID": "alice", "password": "wrong", "deviceName": "x"}).encode(),
                b'{"text":"' + b"x" * roll.choice((8_190, 8_193, 65_500, 70_000)) + b'","clientID":"large"}',
                b" " * roll.choice((65_535, 65_536, 65_537, limits.BODY_BYTES, limits.BODY_BYTES + 1)),
                b"GET /v1/devices HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                b"\r\n\r\n",
            )
        )

    def _chunks(self, body: bytes) -> bytes:
        roll = self._random
        out = b""
        while body:
            size = roll.choice((1, 2, 7, 100, len(body)))
            part, body = body[:size], body[size:]
            if size == 1 and len(body) > 200:
                part, body = part + body, b""
            extension = roll.choices((b"", b";a=b", b' ; x="y"', b"\t"), (90, 5, 3, 2))[0]
            length = roll.choices(
                (b"%x" % len(part), b"%X" % len(part), b"0%x" % len(part), b"-1", b"g"), (90, 5, 3, 1, 1)
            )
            out += length[0] + extension + b"\r\n" + part + roll.choices((b"\r\n", b"\n", b""), (97, 2, 1))[0]
        return (
            out + roll.choices((b"0\r\n\r\n", b"0\r\nX-Trailer: 1\r\n\r\n", b"00\r\n\r\n", b"0\n\n"), (90, 6, 2, 2))[0]
        )

    def _headers(self) -> list[str]:
        roll = self._random
        some = (
            "X-A: 1", "X-A: 2", "x-a:", "Connection: close", "Connection: keep-alive", "connection: Close, x",
            "Expect: 100-continue", "Expect: something", "Content-Encoding: gzip", "Content-Type: text/plain",
            "Origin: https://evil.example", "Origin: null", "Host: elsewhere", "Host:", "Upgrade: websocket",
            "Accept: */*",
            "Connection: Upgrade", "Upgrade: h2c", "Authorization: Basic eA==", "Authorization: Bearer",
            "Range: bytes=0-1",
            "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "If-None-Match: *", "Bad Name: 1", "No-Colon",
            "X-Ünicode: ü", "X-Null: a\0b", " X-Fold: 1", "X-Tab:\tx", "X-Long: " + "l" * 8_000,
            "X-Huge: " + "h" * 33_000,
            "Transfer-Encoding : chunked", "X-Colon :1", "Keep-Alive: timeout=1", "TE: trailers", "Cookie: a=b",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        )  # fmt: skip
        return roll.sample(some, roll.choices((0, 1, 2, 4), (55, 25, 15, 5))[0])

    def place(self, data: bytes) -> int:
        """Somewhere in it."""
        return self._random.randrange(1, len(data))

    def pieces(self, data: bytes) -> list[bytes]:
        """The same, cut somewhere."""
        roll = self._random
        cuts = sorted(roll.sample(range(1, len(data)), min(len(data) - 1, roll.choice((1, 2, 5)))))
        return [data[start:end] for start, end in itertools.pairwise([0, *cuts, len(data)])]


def plain(came: Came) -> Came:
    """Without what is another each time."""
    answers = []
    for status, headers, body in came.answers:
        shown = tuple((name, b"" if name == b"retry-after" else value) for name, value in headers)
        answers.append(Answer(status, shown, re.sub(rb'"time":\d+', b'"time":0', body)))
    return Came(tuple(answers), came.rest, came.closed)


def alike(one: Came, other: Came) -> bool:
    """Whether the same came back. Who sends what cannot be read gets to know what else was wrong with it, or does not:
    it depends on what was read first."""
    if one == other:
        return True
    readable = [[each for each in came.answers if not unreadable(each)] for came in (one, other)]
    shorter, longer = sorted(readable, key=len)
    if not (one.closed and other.closed) or not any(unreadable(each) for each in (*one.answers, *other.answers)):
        return False
    return shorter in (longer, longer[:-1])


def unreadable(answer: Answer) -> bool:
    """Whether it says that there is no request."""
    return answer.status == 400 and (b"content-type", b"application/json") not in answer.headers


def shown(data: bytes) -> str:
    """Bytes in few words."""
    return re.sub(r"(.)\1{20,}", lambda run: f"{run[1]} x {len(run[0])} ", repr(data))


async def all_ways(ways: Ways, dice: Dice, data: bytes, methods: list[str]) -> Came:
    """Send it every way; what came back, which must be the same each time."""
    await ways.ask([data], methods, by_asgi=True)  # what it does is done: now it is asked for again
    pieces = dice.pieces(data)
    each = [data[place : place + 1] for place in range(len(data))] if len(data) < 2_000 else pieces
    whole = [data[start : start + READ_BYTES] for start in range(0, len(data), READ_BYTES)]
    first = plain(await ways.ask(whole, methods))
    for name, given, by_asgi in (
        ("in pieces", pieces, False),
        ("byte by byte", each, False),
        ("by ASGI", whole, True),
        ("by ASGI in pieces", pieces, True),
    ):
        other = plain(await ways.ask(given, methods, by_asgi=by_asgi))
        assert alike(other, first), (
            f"{name}: {shown(data)}\ncut to {[len(piece) for piece in given][:8]}\n{other}\n{first}"
        )
    await ways.ask([data[: dice.place(data)]], methods)
    assert first.rest == b"", shown(data)
    for answer in first.answers:
        assert answer.status < 500, (shown(data), answer)
        if answer.status >= 400 and (b"content-type", b"application/json") in answer.headers and answer.body:
            assert set(json.loads(answer.body)["error"]) >= {"code", "message"}, answer
    return first


async def roll(data: Path, seeds: range) -> None:
    """Send what so many dice say, each alone and behind the one before."""
    async with somebody(data) as (ways, token):
        before: tuple[str, bytes, Came] | None = None
        for seed in seeds:
            dice = Dice(seed, token)
            method, sent = dice.one()
            try:
                came = await all_ways(ways, dice, sent, [method])
                if before is not None:
                    both = await all_ways(ways, dice, before[1] + sent, [before[0], method])
                    expected = Came(before[2].answers + came.answers, came.rest, came.closed)
                    assert alike(both, expected), f"{shown(before[1] + sent)}\n{both}\n{expected}"
            except AssertionError as error:
                raise AssertionError(f"seed {seed}") from error
            before = (method, sent, came) if len(came.answers) == 1 and not came.closed else None


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HELD_SECONDS", 0.001)


def test_what_comes_whole_is_answered_like_what_does_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(roll(tmp_path / "server", range(200)))
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_what_comes_whole_is_answered_like_what_does_not_for_long(tmp_path: Path) -> None:
    for start in range(200, 100_200, 500):
        asyncio.run(roll(tmp_path / str(start), range(start, start + 500)))


def statuses(came: Came) -> list[int]:
    return [answer.status for answer in came.answers]


@pytest.mark.parametrize("by_asgi", [False, True])
async def test_what_cannot_be_read_is_refused_behind_the_answers_to_what_could(tmp_path: Path, by_asgi: bool) -> None:
    """Who hears of it first would take the refusal for the answer to a message that was sent."""
    async with somebody(tmp_path / "server") as (ways, token):
        send = request("POST", SEND, b'{"clientID":"c1","text":"hello"}', token)
        me = request("GET", "/v1/me", None, token)
        chunked = request("POST", SEND, None, token, "Transfer-Encoding: chunked")
        for pieces in (
            [send + b"nonsense\r\n\r\n"],
            [send + b"GET / HTTP/1.1\r\n", b"X: " + b"x" * 33_000],
            [send + chunked + b"g\r\n"],
        ):
            assert statuses(await ways.ask(pieces, ["POST"], by_asgi=by_asgi)) == [200, 400], shown(pieces[0])
        came = await ways.ask([me + send + me + b"nonsense", b"\r\n\r\n" + me], ["GET", "POST", "GET"], by_asgi=by_asgi)
        assert statuses(came) == [200, 200, 200, 400]
        assert came.closed


@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\x02", b"\0", b" ", b"G\0", b"\r\n" * 40_000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_what_was_never_a_request_is_refused(tmp_path: Path, noise: bytes) -> None:
    async with somebody(tmp_path / "server") as (ways, token):
        me = request("GET", "/v1/me", None, token)
        for before, answers in ((b"", [400]), (me, [200, 400])):
            data = before + noise + b"G\0"
            came = await ways.ask([data[:50_000], data[50_000:]], ["GET", "GET"])
            assert statuses(came) == answers
            assert came.closed


@pytest.mark.parametrize("by_asgi", [False, True])
async def test_a_head_has_its_bound_however_it_comes(tmp_path: Path, by_asgi: bool) -> None:
    async with somebody(tmp_path / "server") as (ways, token):

        async def answers(*pieces: bytes) -> list[int]:
            return statuses(await ways.ask(pieces, ["POST", "GET"], by_asgi=by_asgi))

        large = request("GET", "/v1/me", None, token, "X: " + "x" * transport.HEAD_BYTES)
        assert await answers(large) == [400]
        assert await answers(large[:20_000], large[20_000:]) == [400]
        assert await answers(*(large[start : start + 1_000] for start in range(0, len(large), 1_000))) == [400]
        allowed = request("GET", "/v1/me", None, token, "X: " + "x" * (transport.HEAD_BYTES - 500))
        assert await answers(allowed) == [200]
        assert await answers(allowed[:20_000], allowed[20_000:]) == [200]
        # What comes before a head in one piece with it is no part of it.
        send = request("POST", SEND, b'{"clientID":"c1","text":"hello"}' + b" " * transport.HEAD_BYTES, token)
        me = request("GET", "/v1/me", None, token)
        assert await answers(send + me[:30], me[30:]) == [200, 200]


@pytest.mark.parametrize("by_asgi", [False, True])
async def test_who_offers_http2_is_answered_in_the_http_that_there_is(tmp_path: Path, by_asgi: bool) -> None:
    async with somebody(tmp_path / "server") as (ways, token):
        offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
        me = request("GET", "/v1/me", None, token, *offer)
        send = request("POST", SEND, b'{"clientID":"c1","text":"hello"}', token, *offer)
        for pieces in ([me + send + me], [me, send, me], [me + send[:40], send[40:] + me]):
            came = await ways.ask(pieces, ["GET", "POST", "GET"], by_asgi=by_asgi)
            assert statuses(came) == [200, 200, 200]
            assert not came.closed
        inner = request("DELETE", "/v1/devices/other", None, token)
        came = await ways.ask([request("POST", SEND, inner, token, *offer)], "POST", by_asgi=by_asgi)
        assert [json.loads(each.body)["error"]["code"] for each in came.answers] == ["invalid_request"]
        many = await ways.ask([me * 1_500], ["GET"] * 1_500, by_asgi=by_asgi)
        assert statuses(many) == [200] * 1_500


async def test_a_trailer_is_no_header(tmp_path: Path) -> None:
    """Behind a proxy that says who asks, anybody could say it in a trailer."""
    async with somebody(tmp_path / "server") as (ways, token):
        body = b'{"clientID":"c1","text":"hello"}'
        head = request("POST", SEND, None, None, "Transfer-Encoding: chunked")
        trailer = b"Authorization: Bearer %b\r\n\r\n" % token.encode()
        for by_asgi in (False, True):
            sent = head + b"%x\r\n%b\r\n0\r\n" % (len(body), body)
            for pieces in ([sent + trailer], [sent, trailer], [sent + trailer[:9], trailer[9:]]):
                assert statuses(await ways.ask(pieces, "POST", by_asgi=by_asgi)) == [401]


@pytest.mark.parametrize(
    "framing",
    [
        ("Content-Length: 32", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 32"),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, gzip",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding:\r\n chunked",),
        ("X: a\rTransfer-Encoding: chunked",),
        ("Content-Length: 32", "Content-Length: 32"),
        ("Content-Length: 32", "Content-Length: 0"),
        ("Content-Length: 32,32",),
        ("Content-Length: +32",),
        ("Content-Length: 0x20",),
    ],
)
async def test_where_a_request_ends_is_no_matter_of_opinion(tmp_path: Path, framing: tuple[str, ...]) -> None:
    """Or what is a body to whoever stands in front were a request here (RFC 9112, section 11.2)."""
    async with somebody(tmp_path / "server") as (ways, token):
        head = request("POST", SEND, None, token, *framing)
        for body in (b'{"clientID":"c1","text":"hello"}', b'20\r\n{"clientID":"c1","text":"hello"}\r\n0\r\n\r\n'):
            came = await ways.ask([head + body + request("GET", "/v1/me", None, token)], "POST")
            assert statuses(came) == [400]
            assert came.closed


@pytest.mark.parametrize("endless", [b"x" * 65_536, b"1;" + b"x" * 65_536 + b"\r\nx\r\n", b"0\r\nX: " + b"x" * 65_536])
@pytest.mark.parametrize("target", [SEND, "/nothing"])
async def test_who_never_comes_to_an_end_is_cut_off(tmp_path: Path, target: str, endless: bytes) -> None:
    async with somebody(tmp_path / "server") as (ways, token):
        framing = f"Content-Length: {10**9}" if endless.startswith(b"x") else "Transfer-Encoding: chunked"
        last = b"x" * 65_536 if endless.startswith(b"0") else endless
        pieces = [request("POST", target, None, token, framing), endless, *[last] * 400]
        assert (await ways.ask(pieces, "POST")).closed


async def test_a_socket_is_not_opened_under_a_request_that_is_still_to_be_answered(tmp_path: Path) -> None:
    async with somebody(tmp_path / "server") as (ways, token):
        send = request("POST", SEND, b'{"clientID":"c1","text":"hello"}', token)
        upgrade = (
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {KEY}",
        )
        came = await ways.ask([send + request("GET", "/v1/stream", None, token, *upgrade)], ["POST", "GET"])
        assert statuses(came) == [200, 400]
        assert came.closed


async def test_the_server_is_no_proxy(tmp_path: Path) -> None:
    async with somebody(tmp_path / "server") as (ways, token):
        for target in ("/v1/me", "example.org:443"):
            came = await ways.ask([request("CONNECT", target, None, token)], "CONNECT")
            assert statuses(came) == [400]
            assert came.closed
