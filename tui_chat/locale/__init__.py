"""Messages in the reader's language, from gettext catalogues (`en` is the source, `zh_CN`)."""

import gettext
import os
from pathlib import Path

_translation: gettext.NullTranslations = gettext.NullTranslations()


def use_language(language: str | None = None) -> None:
    """Choose the catalogue: `zh_CN`, `en`, or None for what LANGUAGE, LC_ALL, LC_MESSAGES and LANG say."""
    global _translation
    languages = [language] if language else None
    if languages is None and not any(os.environ.get(name) for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")):
        languages = ["en"]
    _translation = gettext.translation("tui_chat", Path(__file__).parent, languages=languages, fallback=True)


def _(message: str) -> str:
    """The message in the chosen language."""
    return _translation.gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The form that fits the count."""
    return _translation.ngettext(one, many, count)
