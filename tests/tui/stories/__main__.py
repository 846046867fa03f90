"""The program on a story's session, for a terminal: `python -m tests.tui.stories NAME`."""

import sys

from tests.tui.fake import NOW, FakeSession
from tui_chat.tui.app import ChatApp

from . import BY_NAME


async def _second() -> object:
    return FakeSession(device_name="phone").as_session()


def main(name: str) -> None:
    """Until it is left."""
    story = BY_NAME[name]
    app = ChatApp(
        story.session().as_session(),
        second=_second,  # type: ignore[arg-type]
        coach=story.coach,
        clock=lambda: NOW,
        flash_seconds=0.0,
    )
    app.run()


main(sys.argv[1])
