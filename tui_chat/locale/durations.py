"""How long something takes or lasts, in the words of the chosen language."""

from . import ngettext


def duration(seconds: int) -> str:
    """A time exactly, in the unit that says it shortest: 10 minutes, 90 seconds, 2 hours."""
    if seconds >= 3_600 and seconds % 3_600 == 0:
        hours = seconds // 3_600
        return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    if seconds >= 60 and seconds % 60 == 0:
        minutes = seconds // 60
        return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)
    return ngettext("{count} second", "{count} seconds", seconds).format(count=seconds)
