"""What works wherever one is."""

from tests.tui.fake import FakeSession

from .story import Step, Story, go, look, press

STORY = Story(
    name="everywhere",
    session=FakeSession,
    coach=True,
    steps=(
        go("ctrl+p", *"end t", shows="Take the coach's line away for good."),
        press("end-tour", "enter", hides="1/6 Space marks"),
        go("ctrl+p", *"sync", shows="whether a deletion also removes"),
        *look("sync-deletions", "enter", shows="Switch the sync of deletions off?"),
        go("ctrl+p", *"settings", shows="Theme, symbols, mouse, language"),
        *look("settings", "enter", shows="Deleting starts with Clear history"),
        *look("palette", "ctrl+p", shows="Search for commands…"),
        *look("switch", "ctrl+g", shows="Go to: some letters of a name"),
        *look("find-everywhere", "ctrl+f", shows="Words in all conversations"),
        *look("help", "question_mark", shows="In the list"),
        *look("help", "f1", shows="In the list"),
        press("next-unread", "ctrl+n", shows="╭─ #planning · 214 members ─"),
        press("back", "escape", shows="? Help"),
        press("back", "escape", shows="d Delete"),
        press("next-pane", "tab", hides="d Delete"),
        press("previous-pane", "shift+tab", shows="d Delete"),
        press("reload", "ctrl+r", shows="Reloaded from the server"),
        press("second-device", "f2", shows="phone"),
        go("f2", hides="phone"),
        Step(command="suspend", keys=("ctrl+z",), shows="SUSPENDED"),
        Step(command="quit", keys=("ctrl+q",), shows="LEFT"),
    ),
)
"""The last two are seen from outside: whoever tells the story says so as if it stood on the screen."""
