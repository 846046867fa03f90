"""The widgets, fed with hostile text in every field: what they give to the terminal, and that they stand it."""

import msgspec
import pytest
from rich.console import Console

from tests.tui.widgets.host import Host, by_id, conversation, message
from tui_chat.client.query import parse
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, LastMessage, Membership, Message, MessageType, Reaction, Tip, TipKind
from tui_chat.tui.safe import fill, line
from tui_chat.tui.widgets.completion import Candidate
from tui_chat.tui.widgets.status_bar import Fact, Hint

from .payloads import FORBIDDEN, PAYLOADS


def rows(payload: str) -> list[Conversation]:
    last = LastMessage(message_seq=1, sender=payload, time=1, text=payload, nick=payload)
    tip = Tip(what=TipKind.INVITED, operator=payload, user_id_list=[payload], group_id=payload, name=payload)
    base = conversation("bob", unread=3, mentions=1, muted=True, pinned=True, membership=Membership.LEFT)
    return [
        msgspec.structs.replace(base, name=payload, conversation_id="C2Ca" + payload, last_message=last),
        msgspec.structs.replace(
            base,
            name=payload,
            conversation_id="GROUP" + payload,
            type=ConversationType.GROUP,
            last_message=msgspec.structs.replace(last, type=MessageType.TIP, tip=tip),
        ),
        msgspec.structs.replace(base, name="", conversation_id="C2C" + payload),
    ]


def messages(payload: str) -> list[Message]:
    tip = Tip(what=TipKind.RENAMED, operator=payload, user_id_list=[payload], group_id=payload, name=payload)
    text = msgspec.structs.replace(
        message(1, payload, payload, mentions=["alice", payload]),
        nick=payload,
        reactions={payload: Reaction(count=1, user_id_list=[payload])},
    )
    return [
        text,
        msgspec.structs.replace(text, message_seq=2, reply_to=1, edited_at=1),
        message(3, payload, "alice", reply_to=2),
        message(4, payload, payload, type=MessageType.TIP, tip=tip),
        message(5, payload, payload, type=MessageType.NOTICE),
        msgspec.structs.replace(text, message_seq=7, recalled=True, recalled_by=payload),
        message(6, f"`{payload}` **{payload}** https://x/{payload}\n```\n{payload}\n```", "bob"),
    ]


@pytest.mark.parametrize("size", [(120, 40), (30, 10)])
async def test_every_field_of_every_widget(size: tuple[int, int]) -> None:
    app = Host()
    console = Console(color_system="truecolor", force_terminal=True)
    async with app.run_test(size=size) as pilot:
        for payload in PAYLOADS:
            listed = by_id(rows(payload))
            app.list.set_conversations(listed)
            app.list.set_failed({next(iter(listed)): payload})
            app.list.set_filter(parse(""))
            app.pane.show(rows(payload)[1], messages(payload), more_older=False)
            app.pane.append([message(0, payload, "alice", client_id="c")])
            app.pane.set_failed("c", payload)
            app.pane.set_refused(3, payload)
            app.pane.set_words(payload.split()[:3])
            app.composer.completion.offer([Candidate("bob", fill("@{id} {nick}", id=payload, nick=payload))])
            app.pane.set_note(payload)
            app.composer.set_draft(payload)
            app.composer.set_blocked(payload or "x")
            app.bar.set_facts([Fact(line(payload), 2), Fact(fill("{x}", x=payload), 1, "error", line(payload))])
            app.bar.set_hints([Hint(line(payload), line(payload))])
            await pilot.pause()
            update = app.screen._compositor.render_update(full=True)
            assert update is not None
            assert not isinstance(update, str)
            written = "".join(segment.text for segment in console.render(update) if not segment.control)
            assert not (FORBIDDEN - {"\r"}).intersection(written), payload
            assert "ZXZpbA" not in written or "52;c;" in written  # It is there as text, or not at all.
            app.pane.close(payload)
            app.composer.set_blocked(None)
            await pilot.pause()


async def test_a_click_on_markup_does_nothing() -> None:
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        app.list.set_conversations(by_id([conversation("[@click=app.quit]bob[/]")]))
        app.pane.show(conversation("bob"), [message(1, "[@click=app.quit]xxxxxxxx[/]", ago=0)], more_older=False)
        await pilot.pause()
        await pilot.click(app.list, offset=(8, 1))
        await pilot.click(app.pane, offset=(25, 2))
        await pilot.pause()
        assert app.is_running
        assert any("[@click=app.quit]xxx" in app.pane.render_line(y).text for y in range(3))
