"""The question before a deletion; its buttons have the focus in brackets that a terminal shows reversed."""

from tests.tui.fake import FakeSession

from .story import Story, go, press

ASKED = "Delete 1 conversation?"
ASK = go("d", shows=ASKED)

STORY = Story(
    name="dialog",
    session=FakeSession,
    steps=(
        ASK,
        press("cancel", "n", hides=ASKED),
        ASK,
        press("cancel", "escape", hides=ASKED),
        ASK,
        press("toggle-clear", "c", shows="[ ] Clear history"),
        press("press", "enter", hides=ASKED),
        *(
            step
            for key in ("left", "right", "up", "down", "tab", "shift+tab")
            for step in (
                ASK,
                press("choose", key, "enter", hides="📌 #planning"),
                go("u", shows="📌 #planning"),
                go("g", shows="▌● 📌 #planning"),
            )
        ),
        ASK,
        press("confirm", "y", hides=ASKED),
    ),
)
