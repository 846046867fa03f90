"""A group's list of members, and notices of who asks to join."""

from tests.tui.fake import NOW, FakeSession, row
from tests.tui.test_groups import session_as
from tui_chat.protocol.models import Application, Message, MessageType, Tip, TipKind

from .story import Story, go, look, press

OPEN = go("M", shows="Bob Smith (bob)")


def _asked() -> FakeSession:
    session = session_as("owner")
    session.waiting["ubuntu"] = [
        Application(user_id="dave", time=NOW - 3, text="please"),
        Application(user_id="erin", time=NOW - 2, text="me too"),
    ]
    return session


OWNER = Story(
    name="group-owner",
    session=_asked,
    steps=(
        OPEN,
        press("accept", "A", hides="asks to join  please"),
        go("home", shows="▌ erin"),
        press("decline", "D", hides="asks to join  me too"),
        *look("group-add", "a", shows="Add to #ubuntu"),
        *look("group-rename", "n", shows="Rename #ubuntu"),
        *look("group-joining", "w", shows="Who may join #ubuntu?"),
        press("group-mute", "m", shows="muted: only its owner"),
        *look("group-dismiss", "X", shows="Dismiss #ubuntu?"),
        go("end", shows="▌ 小林"),
        press("group-role", "r", hides="▌ 小林 (xiaolin)                member"),
        *look("group-transfer", "t", shows="Make 小林 (xiaolin) the owner"),
        *look("group-remove", "x", shows="Remove 小林 (xiaolin) from"),
    ),
)

MEMBER = Story(
    name="group-member",
    session=lambda: session_as("member", join="free"),
    steps=(
        OPEN,
        press("group-leave", "l", shows="Leave #ubuntu?"),
        go("y", shows="only its members see"),
        press("group-join", "J", hides="only its members see"),
    ),
)


def _notices() -> FakeSession:
    rows = {one: row(one, name=name, role="owner") for one, name in (("GROUPubuntu", "#ubuntu"),)}
    rows["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=5, message_count=2)
    session = FakeSession(rows)
    session.messages["@TIM#SYSTEM"] = [
        Message(
            conversation_id="@TIM#SYSTEM",
            message_seq=seq,
            client_id=f"n{seq}",
            sender="system",
            time=NOW,
            text="",
            type=MessageType.NOTICE,
            tip=Tip(what=TipKind.APPLIED, operator=who, group_id="ubuntu", name="#ubuntu"),
        )
        for seq, who in ((1, "dave"), (2, "erin"))
    ]
    session.waiting["ubuntu"] = [Application(user_id="dave", time=1), Application(user_id="erin", time=2)]
    return session


NOTICE = Story(
    name="group-notice",
    session=_notices,
    steps=(
        go("2", shows="erin asks to join #ubuntu"),
        go("k", shows="▌12:41"),
        press("accept", "A", shows="erin is a member now"),
        go("k", shows="▌12:41            • dave"),
        press("decline", "D", shows="dave was declined"),
    ),
)
