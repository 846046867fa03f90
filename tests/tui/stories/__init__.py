"""What every command does, key by key, as stories: told by a pilot, and by the bytes of a plain terminal on a pty."""

from collections.abc import Iterator

from . import composing, dialogs, everywhere, groups, listing, reading
from .story import Story, Told

STORIES: tuple[Story, ...] = (
    listing.STORY,
    reading.STORY,
    composing.STORY,
    everywhere.STORY,
    groups.OWNER,
    groups.MEMBER,
    groups.NOTICE,
    dialogs.STORY,
)
BY_NAME = {story.name: story for story in STORIES}


def told() -> Iterator[Told]:
    """Every key of a command that a story has an expectation of."""
    for story in STORIES:
        for step in story.steps:
            if step.command is not None:
                yield step.command, step.keys[0]
