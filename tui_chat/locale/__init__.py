"""Messages in the reader's language, from gettext catalogues (`en` is the source, `zh_CN`)."""

import gettext
import os
from collections.abc import Callable
from pathlib import Path

_translation: gettext.NullTranslations = gettext.NullTranslations()
_chosen_later: Callable[[], str | None] | None = None


def use_language(language: str | None = None) -> None:
    """Choose the catalogue: `zh_CN`, `en`, or None for what LANGUAGE, LC_ALL, LC_MESSAGES and LANG say.

    A language without a catalogue is English.
    """
    global _translation, _chosen_later
    _chosen_later = None
    wanted = [language] if language else _languages_of_environment()
    # English is the source and has no catalogue: where it is wanted first, none that is wanted less may take its place.
    languages = ["C" if name.replace("-", "_").split("_")[0].lower() == "en" else name for name in wanted]
    _translation = gettext.translation("tui_chat", Path(__file__).parent, languages=languages, fallback=True)


def use_language_when_needed(language: Callable[[], str | None]) -> None:
    """As `use_language`, of what this answers when the first message is asked for: to know that takes a while."""
    global _chosen_later
    _chosen_later = language


def _languages_of_environment() -> list[str]:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value.split(":")
    return ["en"]


def _catalogue() -> gettext.NullTranslations:
    global _chosen_later
    if _chosen_later is not None:
        choose, _chosen_later = _chosen_later, None  # where it asks for a message itself, that is English
        use_language(choose())
    return _translation


def N_(message: str) -> str:  # noqa: N802 (the name by which gettext's tools find it)
    """Mark a text for the catalogue; it is translated when it is shown, so that the language can be chosen first."""
    return message


def _(message: str) -> str:
    """The message in the chosen language."""
    return _catalogue().gettext(message) if message else ""  # gettext answers an empty text with the catalogue's head


def ngettext(one: str, many: str, count: int) -> str:
    """The form that fits the count."""
    return _catalogue().ngettext(one, many, count)


def first_known(exact: str, general: str) -> str:
    """The exact message, or the general one where the catalogue has only that; in English always the exact one."""
    for message in (exact, general):
        if (translated := _(message)) != message:
            return translated
    return exact
