"""A session and its account: password, nick, blocks, erasing, what administrators do; the export, whole or refused."""

import asyncio
from contextlib import aclosing

import pytest
from msgspec.structs import replace

from tests.accounts import PASSWORD
from tests.client.making import NOWHERE
from tests.client.sessions import Sessions, eventually
from tests.client.test_api import Handler, api_at, serving
from tests.servers import LiveServer
from tui_chat.client.changes import BlockChanged, Connection, MessageUpdated
from tui_chat.client.session import ChatSession
from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    Blocked,
    ChatError,
    LastAdministrator,
    NotConnected,
    PasswordMismatch,
    TooFrequent,
    Unexpected,
    UserErased,
)

NEW = "battery staple"


async def exported(session: ChatSession) -> list[dict[str, object]]:
    async with aclosing(session.export()) as lines:
        return [line async for line in lines]


async def test_a_password_is_changed_and_the_other_device_signed_out(server: LiveServer) -> None:
    async with Sessions(server.url) as sessions:
        laptop = await sessions.register("alice")
        phone = await sessions.log_in("alice")
        with pytest.raises(PasswordMismatch):
            await laptop.session.change_password("not this one", NEW)
        assert await laptop.session.change_password(PASSWORD, NEW) == 1
        await eventually(lambda: phone.session.connection is Connection.SIGNED_OUT)
        assert [one.current for one in await laptop.session.devices()] == [True]


async def test_a_nick_reaches_ones_other_device_and_who_one_talks_with(server: LiveServer) -> None:
    async with Sessions(server.url) as sessions:
        laptop = await sessions.register("alice")
        phone = await sessions.log_in("alice")
        bob = await sessions.register("bob")
        await bob.session.send_message("C2Calice", "hello")
        assert await laptop.session.set_nick(" Al\nice ") == "Al ice"
        await eventually(lambda: phone.session.nick == "Al ice")
        await eventually(lambda: bob.session.conversations["C2Calice"].name == "Al ice")
        assert await laptop.session.set_nick(None) is None


async def test_a_block_follows_ones_devices_and_stops_messages(server: LiveServer) -> None:
    async with Sessions(server.url) as sessions:
        laptop = await sessions.register("alice")
        phone = await sessions.log_in("alice")
        bob = await sessions.register("bob")
        await laptop.session.block("BOB")
        change = await phone.sees(BlockChanged)
        assert (change.user_id, change.blocked) == ("bob", True)
        assert [one.user_id for one in await phone.session.blocks()] == ["bob"]
        with pytest.raises(Blocked):
            await bob.session.send_message("C2Calice", "hello")
        await phone.session.unblock("bob")
        await laptop.sees(BlockChanged, lambda one: not one.blocked)
        await bob.session.send_message("C2Calice", "hello")


async def test_an_account_is_erased(server: LiveServer) -> None:
    async with Sessions(server.url) as sessions:
        alice = await sessions.register("alice")
        bob = await sessions.register("bob")
        phone = await sessions.log_in("bob")
        await bob.session.send_message("C2Calice", "goodbye")
        with pytest.raises(PasswordMismatch):
            await bob.session.erase_account("not this one")
        await bob.session.erase_account(PASSWORD)
        for one in (bob, phone):
            await eventually(lambda one=one: one.session.connection is Connection.SIGNED_OUT)  # type: ignore[misc]
        with pytest.raises(UserErased):
            await alice.session.send_message("C2Cbob", "are you there?")
        assert [one.text for one in (await alice.session.history("C2Cbob")).messages] == ["goodbye"]
        with pytest.raises(LastAdministrator):
            await alice.session.erase_account(PASSWORD)


async def test_an_administrator_sees_users_and_removes_what_has_to_go(server: LiveServer) -> None:
    async with Sessions(server.url) as sessions:
        alice = await sessions.register("alice")
        bob = await sessions.register("bob")
        carol = await sessions.register("carol")
        sent = await bob.session.send_message("C2Ccarol", "foul")
        assert (await alice.session.set_administrator("carol", True)).administrator
        await carol.session.remove_message("C2Cbob:carol", sent.message_seq)
        await bob.sees(MessageUpdated, lambda one: one.message.recalled)
        assert [one.text for one in (await bob.session.history("C2Ccarol")).messages] == [""]
        await carol.session.remove_user("bob")
        await eventually(lambda: bob.session.connection is Connection.SIGNED_OUT)
        assert [one.user_id for one in await alice.session.accounts()] == ["alice", "carol"]
        assert [one.user_id for one in await alice.session.accounts("c")] == ["carol"]
        done = await alice.session.audit()
        assert [one.what for one in done] == ["user.removed", "message.removed", "user.promoted"]
        assert len(await alice.session.audit(2)) == 2


class TestExport:
    """Line by line."""

    async def test_everything_comes_with_a_token_that_has_to_be_renewed_first(self, server: LiveServer) -> None:
        async with Sessions(server.url) as sessions:
            alice = await sessions.register("alice", start=False)
            bob = await sessions.register("bob")
            await bob.session.send_message("C2Calice", "hello")
            server.clock.advance(limits.ACCESS_TOKEN_SECONDS + 120)
            lines = await exported(alice.session)
        kinds = [line["kind"] for line in lines]
        assert (kinds[0], kinds[-1], kinds.count("message")) == ("export", "end", 1)

    async def test_who_stops_half_way_can_begin_anew(self, server: LiveServer) -> None:
        async with Sessions(server.url) as sessions:
            alice = await sessions.register("alice")
            async with aclosing(alice.session.export()) as lines:
                assert (await anext(lines))["kind"] == "export"
            again: list[dict[str, object]] = []
            async with asyncio.timeout(10):
                while not again:
                    try:
                        again = await exported(alice.session)
                    except TooFrequent:
                        await asyncio.sleep(0.01)
            assert again[-1]["kind"] == "end"

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            (b'{"kind":"export"}\n', Unexpected),
            (b'{"kind":"export"}\n{"kind":"mess', Unexpected),
            (b'{"kind":"export"}\nnonsense\n', Unexpected),
            (b'["kind"]\n', Unexpected),
            (b'{"kind":"error"}\n', Unexpected),
            (b'{"kind":"export"}\n{"kind":"end","lines":7}\n', Unexpected),
            (b'{"kind":"error","error":{"code":"unavailable","message":"x"}}\n', ChatError),
            (b"", Unexpected),
        ],
    )
    async def test_what_is_not_whole_is_refused(self, body: bytes, error: type[ChatError]) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

        with pytest.raises(error):
            await self.against(handler)

    async def test_a_server_that_goes_away_half_way(self) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n" + b'{"kind":"export"}\n\r\n')
            await writer.drain()

        with pytest.raises(NotConnected):
            await self.against(handler)

    async def against(self, handler: Handler) -> list[dict[str, object]]:
        """Export from a server of the test's own, which takes any token."""
        async with serving(handler) as url, ChatSession.resume(replace(NOWHERE, server_url=url)) as session:
            return await exported(session)


async def test_an_answer_without_a_line_end_is_not_taken_in_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.client.api.LINE_BYTES", 100)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"64\r\n" + b"x" * 100 + b"\r\n")
            await writer.drain()

    async with serving(handler) as url, api_at(url) as api:
        with pytest.raises(Unexpected):
            async with aclosing(api.lines("/v1/export", token="x")) as lines:
                await anext(lines)


async def test_closing_while_lines_are_waited_for(server: LiveServer) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n")
        await writer.drain()
        await reader.read()

    async with serving(handler) as url, api_at(url) as api:
        lines = api.lines("/v1/export", token="x")
        assert await anext(lines) == b""
        waiting = asyncio.create_task(anext(lines))
        await api.close(patience=0.01)
        with pytest.raises(NotConnected):
            await waiting
