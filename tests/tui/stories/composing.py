"""The composer."""

from tests.tui.fake import FakeSession

from .story import Step, Story, go, look, press

STORY = Story(
    name="composer",
    session=FakeSession,
    steps=(
        go("3", shows="message 1200 "),
        press("composer-scroll", "pageup", hides="message 1200"),
        press("composer-scroll", "pagedown", shows="message 1200"),
        go(*"aa", shows="││ aa"),
        press("new-line", "ctrl+j", *"bb", shows="││ bb"),
        Step(command="new-line", keys=("shift+enter", *"cc"), shows="││ cc", only_some_terminals=True),
        press("send", "enter", shows="12:41 you          aa"),
        go(*"zz", shows="││ zz"),
        press("undo-typing", "ctrl+underscore", hides="││ zz"),
        press("complete", "at", *"bobb", shows="@bobby"),
        go("escape", "backspace", "backspace", "backspace", "backspace", "backspace", shows="Write a message"),
        *look("edit-last", "up", shows="Editing your message"),
        Step(
            command="editor",
            keys=("ctrl+o",),
            shows="This terminal cannot",
            on_a_terminal="││ from the editor",
        ),
    ),
)
