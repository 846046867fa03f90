"""The messages: moving, and what is done with the one under the cursor."""

import msgspec

from tests.tui.fake import NOW, FakeSession
from tui_chat.client.changes import MessagesAdded, SendFailed
from tui_chat.protocol.errors import ErrorBody, UserNotFound
from tui_chat.protocol.models import Message

from .story import Story, go, look, press


class Talk(FakeSession):
    """A long conversation with bob, who sent a link; what is written is refused until it is written again."""

    def __init__(self) -> None:
        super().__init__()
        ubuntu = self.messages["GROUPubuntu"]
        self.messages["GROUPubuntu"] = [
            msgspec.structs.replace(one, text=f"needle {one.message_seq}") if one.message_seq % 5 == 0 else one
            for one in ubuntu
        ]
        answer = self.messages["GROUPubuntu"][-2]
        self.messages["GROUPubuntu"][-2] = msgspec.structs.replace(answer, reply_to=1191)
        bob = self.messages["C2Cbob"]
        bob[-1] = msgspec.structs.replace(bob[-1], text="see https://example.org/x")
        self._refused = False

    async def send_message(self, conversation_id: str, text: str, **more: object) -> Message:
        if self._refused:
            return await super().send_message(conversation_id, text)
        self._refused = True
        waiting = Message(
            conversation_id=conversation_id, message_seq=0, client_id="w", sender=self.user_id, time=NOW, text=text
        )
        error = ErrorBody(code="user_not_found", message="nobody there")
        self.tell(
            MessagesAdded(conversation_id=conversation_id, messages=[waiting]),
            SendFailed(conversation_id=conversation_id, client_id=waiting.client_id, text=text, error=error),
        )
        raise UserNotFound()


STORY = Story(
    name="messages",
    session=Talk,
    steps=(
        go("5", shows="╭─ carol ─"),
        go("escape", shows="? Help"),
        go("escape", shows="d Delete"),
        go("d", shows="Delete 1 conversation?"),
        go("y", hides="  carol  "),
        go("3", shows="needle 1200 "),
        go("escape", shows="? Help"),
        press("undo", "u", shows="  carol  "),
        press("messages-move", "up", shows="▌12:41 bob          needle 1200"),
        press("messages-move", "k", shows="▌12:40 you"),
        press("messages-move", "j", shows="▌12:41 bob"),
        press("messages-move", "k", shows="▌12:40 you"),
        press("answered", "J", shows="▌12:32 you          message 1191"),
        press("messages-move", "G", shows="▌12:41 bob"),
        go("k", shows="▌12:40 you"),
        press("messages-move", "down", shows="▌12:41 bob"),
        press("messages-move", "pageup", hides="needle 1200"),
        press("messages-move", "pagedown", shows="needle 1200"),
        press("messages-move", "g", shows="message 2 "),
        press("messages-move", "G", shows="needle 1200"),
        press("first-unread", "U", shows="▌12:28 you          message 1187"),
        press("find", "slash", *"needle", "enter", shows="1 of 50"),
        press("find-older", "n", shows="2 of 50"),
        *look("find-newer", "N", shows="1 of 50"),
        *look("group", "M", shows="ID ubuntu"),
        press("compose", "i", shows="F1 Help"),
        go("escape", shows="? Help"),
        press("compose", "enter", shows="F1 Help"),
        go("escape", shows="? Help"),
        go("escape", shows="d Delete"),
        go("2", shows="see https"),
        go("escape", shows="? Help"),
        go("k", shows="▌12:41 bob          see https"),
        *look("reply", "r", shows="Reply to bob: see"),
        go("escape", shows="? Help"),
        *look("react", "plus", shows="thumbs up, yes"),
        *look("open-link", "o", shows="leads to example.org"),
        *look("details", "v", shows="From bob"),
        press("copy", "y", shows="Copied"),
        go("k", shows="▌12:40 you          message 3"),
        *look("edit", "e", shows="Editing your message"),
        go("escape", shows="? Help"),
        *look("recall", "X", shows="Take this message back from everybody?"),
        go("i", *"never", "enter", shows="✗"),
        go("escape", shows="? Help"),
        press("resend", "R", hides="✗"),
    ),
)
