"""Every command of the registry does its one thing on the screen, and so does every one of its default keys."""

import pytest

from tests.tui.apps import running, text_of, until
from tests.tui.fake import FakeSession
from tests.tui.stories import BY_NAME, told
from tui_chat.tui.commands.registry import COMMANDS


def test_every_key_of_every_command_is_in_a_story() -> None:
    keys = {(command.id, key) for command in COMMANDS for key in command.keys}
    found = set(told())
    assert keys - found == set(), "a command needs a step in tests/tui/stories"
    without_keys = {command.id for command in COMMANDS if not command.keys}
    assert without_keys <= {command for command, _ in found}
    assert {command for command, _ in found - keys} == without_keys


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", BY_NAME)
async def test_the_story(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story = BY_NAME[name]
    outside: list[str] = []

    async def second() -> object:
        return FakeSession(device_name="phone").as_session()

    monkeypatch.setenv("EDITOR", "true")
    async with running(story.session(), size=(120, 36), second=second, coach=story.coach) as (app, pilot):
        monkeypatch.setattr(app, "action_suspend_process", lambda: outside.append("SUSPENDED"))
        monkeypatch.setattr(app, "exit", lambda: outside.append("LEFT"))

        def screen() -> str:
            return "\n".join([text_of(app), *outside])

        for step in story.steps:
            await pilot.pause()
            before = screen()
            assert not step.done(before), f"{step} would be so without a key:\n{before}"
            for key in step.keys:
                await pilot.press(key)
            try:
                await until(lambda now=step: now.done(screen()))  # type: ignore[misc]
            except AssertionError:
                raise AssertionError(f"{step} does not come about:\n{before}\n{screen()}") from None
