"""Which lines may be shown to people: no bots, no addresses or numbers of persons, nothing obscene, nothing dangerous.

The corpus is large and the excerpt small, so every rule is strict: a harmless line that is lost costs nothing.
"""

import re
from typing import Final

from . import words

BOT_NAMES: Final = re.compile(
    r"^(?:ubot|lubot|floodbot|zy3pdbot|netflambot|shufflebot|spankbot|rhumbot|mootbot|meetingology|ubugtu|bestbot"
    r"|chanserv|nickserv|memoserv|dpkg|usn|bugbot|ljl-bot)",
    re.IGNORECASE,
)
"""Programs that speak in the Ubuntu channels: fact bots, flood guards, services (matched at the start of the nick)."""

OTHER_SCRIPTS: Final = re.compile("[\u0370-\u1fff]")
"""Greek to Ethiopic: lines that whoever tends this excerpt cannot read and so cannot vouch for."""

BOT_MARKS: Final = re.compile(r"ubot|floodbot|\bchanserv\b|\bnickserv\b|unconvertable", re.IGNORECASE)
"""Lines about or to bots say nothing without the bot's answer; `<UNCONVERTABLE>` is the corpus's own scar."""

FACTS: Final = re.compile(
    r"please don't flood|ask to ask a question|#ubuntu is the|is the ubuntu (?:support )?channel|family.friendly"
    r"|don't feel ignored|see my private message|pastebin is a service|for posting multi-?line|only a bot"
    r"|large amount of the first questions|en la mayor|^\S{0,25}\s*!|^/\w|^exit$|^quit$|/join #|/msg |\bdcc send\b",
    re.IGNORECASE,
)
"""Texts that bots recite (also when people paste them), calls of bots (`!java`), commands typed into the channel."""

PERSONAL: Final = (
    re.compile(r"\S@\S"),  # addresses, and the user@host of pasted prompts
    re.compile(r"\b\w+\s*(?:\(|\[|<|\s)at(?:\)|\]|>|\s)\s*\w+\s*(?:\(|\[|<|\s)dot(?:\)|\]|>|\s)", re.IGNORECASE),
    re.compile(r"\b(?:gmail|hotmail|yahoo|msn|aol|icq|skype|aim)\b[^a-z]{0,4}(?:\.|id|name|number|#|:)", re.IGNORECASE),
    re.compile(r"(?<!\d)\d{1,3}(?:[.,\-]\d{1,3}){3}(?!\d)"),  # IPv4, also inside a host's name
    re.compile(r"\b\d{1,3}(?:[.\-]\d{1,3}){2,3}\b.*\b(?:ip|address|gateway|netmask|dns|ping|ssh)\b", re.IGNORECASE),
    re.compile(r"\b\d{1,3}[.\-]\d{1,3}[.\-]\d{1,3}\.(?:x{1,3}|\*)", re.IGNORECASE),
    re.compile(r"(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}", re.IGNORECASE),  # IPv6, and hardware addresses
    re.compile(r"::[0-9a-f]{1,4}\b|\b[0-9a-f]{1,4}::", re.IGNORECASE),
    re.compile(r"(?:[0-9a-f]{2}-){5}[0-9a-f]{2}", re.IGNORECASE),
    re.compile(r"\+?\(?\d(?:[\s().\-/]{0,2}\d){8,}"),  # telephone numbers, and whatever looks like one
    re.compile(r"(?<!\d)(?:\(\d{3}\)\s*|\d{3}[\-.\s])\d{3}[\-.\s]\d{4}(?!\d)|(?<!\d)\d{3}-\d{4}(?!\d)"),
    re.compile(r"\bmy (?:phone|cell|mobile|number|address|e-?mail|real name|full name|surname)\b", re.IGNORECASE),
    re.compile(r"\be-?mail me\b|\bcall me on\b|\bphone number\b|\bip address is\b|\bmy ip\b", re.IGNORECASE),
    re.compile(r"pass(?:word|wd|phrase)?\s*(?:is|was|=|:)\s*\S", re.IGNORECASE),
    re.compile(r"[?&](?:token|key|auth|session|password|sid)=", re.IGNORECASE),
)

DANGEROUS: Final = re.compile(
    r"\brm\s+(?:-\w+\s+|--\S+\s+)*[-/~*.\"']|:\s*\(\)\s*\{|\bmkfs|\bdd\s+if=|of=/dev/|>\s*/dev/[hs]d|/dev/(?:zero|u?random)"
    r"|chmod\s+-?\w*\s*[0-7]*\s*-?R?\s*/(?:\s|$)|\|\s*(?:ba)?sh\b|(?:wget|curl)\s+\S+\s*(?:&&|;|\|)|bomb|virus|hack|crack"
    r"|warez|torrent|serial key|keygen|exploit|ddos|phish",
    re.IGNORECASE,
)
"""Commands that erase a disk and talk of break-ins: nobody should copy them out of a demo."""

_STARRED = re.compile(
    r"[a-z][*#$%@]{2,}[a-z]|\b[a-z]{1,3}\*[a-z]{1,4}\b|\b[fsbc][\-_.*][uhi][\-_.*]?[cit][\-_.*]?[kt]\b"
)
"""Words with asterisks in the place of letters."""
_LEET: Final = str.maketrans("013457@$!|", "oieastasii")
_REPEATS = re.compile(r"([a-z])\1{2,}")
_SPACED = re.compile(r"\b(?:[a-z][\s.\-_*]){3,}[a-z]\b")
_WORD = re.compile(r"[^\W_]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad\ufffd]")


def is_fit_name(nick: str) -> bool:
    """Whether a nick may be shown: as is_obscene, and short words count inside it as well, as nicks have no spaces."""
    lower = nick.lower().translate(_LEET)
    return not (is_obscene(nick) or is_personal(nick) or any(word in lower for word in words.IN_NAMES))


def is_bot(nick: str) -> bool:
    """Whether the nick is a program's."""
    return BOT_NAMES.match(nick.strip()) is not None


def is_obscene(text: str) -> bool:
    """Whether a text or a name holds something that one does not show to guests, however it is spelled."""
    lower = text.lower()
    if _holds_a_word(lower) or _STARRED.search(lower) or any(word in lower for word in words.CHINESE):
        return True
    levelled = _REPEATS.sub(r"\1", lower.translate(_LEET))
    if levelled != lower and _holds_a_word(levelled):
        return True
    return any(_holds_a_word(re.sub(r"[\s.\-_*]", "", found[0])) for found in _SPACED.finditer(lower))


def is_personal(text: str) -> bool:
    """Whether a text holds an e-mail or IP address, a hardware address, a telephone number, a password or the like."""
    return any(pattern.search(text) for pattern in PERSONAL)


def may_be_shown(text: str) -> bool:
    """Whether a line of the IRC corpus may stand in the demo."""
    return not (
        not text
        or _CONTROL.search(text)
        or BOT_MARKS.search(text)
        or FACTS.search(text)
        or OTHER_SCRIPTS.search(text)
        or DANGEROUS.search(text)
        or is_personal(text)
        or is_obscene(text)
    )


def _holds_a_word(lower: str) -> bool:
    return any(stem in lower for stem in words.STEMS) or not words.WORDS.isdisjoint(_WORD.findall(lower))
