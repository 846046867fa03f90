"""The list: moving, marking, deleting, opening."""

from typing import Any

from tests.tui.fake import FakeSession, row, some_rows
from tui_chat.client.results import DeletedConversations

from .story import Step, Story, go, look, press

FIRST, SECOND, LAST = "▌● 📌 #planning", "▌● bob", "▌  erin"
UNMARKED = go("escape", hides=" marked  ")


class BusyOnce(FakeSession):
    """Refuses the first deletion."""

    def __init__(self) -> None:
        more = {one: row(one, age=age) for one, age in (("C2Cdave", 6_000), ("C2Cerin", 7_000))}
        super().__init__(some_rows() | more)
        self.refuse = {"C2Cbob": "busy now"}

    async def delete_conversation(self, **wanted: Any) -> DeletedConversations:
        result = await super().delete_conversation(**wanted)
        self.refuse = {}
        return result


def _opened(number: int, title: str) -> tuple[Step, ...]:
    back = () if number in (6, 7) else (go("escape", shows="? Help"),)  # nothing can be written there
    return (
        press(f"open-{number}", str(number), shows=f"╭─ {title} "),
        *back,
        go("escape", shows="d Delete"),
    )


STORY = Story(
    name="list",
    session=BusyOnce,
    steps=(
        press("list-move", "down", shows=SECOND),
        press("list-move", "j", shows="▌● #ubuntu"),
        press("list-move", "up", shows=SECOND),
        press("list-move", "k", shows=FIRST),
        press("list-move", "end", shows=LAST),
        press("list-move", "home", shows=FIRST),
        press("list-move", "G", shows=LAST),
        press("list-move", "g", shows=FIRST),
        press("list-move", "pagedown", shows=LAST),
        press("list-move", "pageup", shows=FIRST),
        press("mark", "space", shows="1 marked"),
        press("review", "equals_sign", shows="╭─ Marked ─"),
        go("equals_sign", shows="carol"),
        UNMARKED,
        press("extend-down", "shift+down", shows="2 marked"),
        UNMARKED,
        press("extend-up", "shift+up", shows="2 marked"),
        UNMARKED,
        press("mark-range", "v", "j", "j", shows="3 marked"),
        go("v", "j", shows="▌  小林"),
        UNMARKED,
        press("mark-all", "a", shows="9 marked"),
        UNMARKED,
        press("mark-all", "ctrl+a", shows="9 marked"),
        press("invert-marks", "asterisk", hides="9 marked"),
        go("asterisk", shows="9 marked"),
        UNMARKED,
        press("last-marks", "V", shows="9 marked"),
        UNMARKED,
        *look("filter", "slash", *"bob", shows="1 of 9"),
        *look("mark-query", "T", *"bob", shows="1 of 9 match"),
        *look("sweep", "S", shows="Silent for over a year"),
        go("g", "j", "j", shows="▌● #ubuntu"),
        *look("group", "M", shows="ID ubuntu"),
        go("k", shows=SECOND),
        press("read", "r", shows="▌  bob"),
        press("unread", "U", shows=SECOND),
        press("pin", "p", shows="📌 bob"),
        go("p", hides="📌 bob"),
        press("mute", "m", shows="bob 🔕"),
        go("m", hides="bob 🔕"),
        *look("delete", "d", shows="Delete 1 conversation?"),
        press("delete", "delete", shows="Delete 1 conversation?"),
        go("y", shows="✗ busy now"),
        press("retry", "R", hides="bob"),
        press("undo", "u", shows="● bob"),
        *look("log", "L", shows="E erase now"),
        go("g", "j", shows=SECOND),
        press("open", "enter", shows="╭─ bob ─"),
        go("escape", shows="? Help"),
        go("escape", shows="d Delete"),
        press("compose-open", "i", shows="F1 Help"),
        go("escape", shows="? Help"),
        go("escape", shows="d Delete"),
        *(
            step
            for number, title in enumerate(
                ("#planning", "bob", "#ubuntu", "小林", "carol", "#old", "System", "dave", "erin"), 1
            )
            for step in _opened(number, title)
        ),
        press("new", "c", shows="New conversation"),
    ),
)
