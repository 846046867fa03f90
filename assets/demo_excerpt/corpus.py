"""Read the two corpora: who said what to whom, only what may be shown."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from . import filters

_SITTING_GAP = 3 * 3600
"""Seconds of silence that divide the stream into sittings; the corpus holds some hours of a day, then skips weeks."""
_ADDRESSED = re.compile(r"@?(\S{2,30}?)(?:\s?[:,]+\s*|->\s*)(.*)")
_BARE = re.compile(r"@?(\S{4,30})\s+(.+)")
_SPACE_IN_NICK = re.compile(r"(?<=[\])]) (?=\S)")
_FLOOD_WINDOW = 30
_FLOOD_CHARACTERS = 12
_RECITED_CHARACTERS = 40
"""Longer lines that the corpus holds several times over are recitations, advertisements or floods."""


class Line(NamedTuple):
    """One message of the IRC corpus. `speaker` and `to` are folded nicks; `text` is the `whole` without the address."""

    number: int
    time: int
    speaker: str
    to: str | None
    text: str
    whole: str


class Sitting(NamedTuple):
    """Some hours of talk in one channel; `lines` hold only what may be shown."""

    start: int
    lines: tuple[Line, ...]


class Dialogue(NamedTuple):
    """One Chinese conversation of two who take turns."""

    topic: str
    name: str
    texts: tuple[str, ...]


class Corpus(NamedTuple):
    """The IRC sittings in order of time, and how each folded nick is mostly spelled."""

    sittings: tuple[Sitting, ...]
    spelling: dict[str, str]


def tidy_nick(nick: str) -> str:
    """The nick as it was: the corpus tore `g[r]eek` into `g[r] eek`."""
    return _SPACE_IN_NICK.sub("", nick.strip())


def fold(nick: str) -> str:
    """The form in which nicks are compared: IRC ignores case, and `_` at the end is the same person once more."""
    return nick.lower().rstrip("_") or nick.lower()


def read_ubuntu(path: Path) -> Corpus:
    """The IRC corpus, cleaned."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        raw = [json.loads(line) for line in file]
    recited = {text for text, count in Counter(entry["text"].lower() for entry in raw).items() if count > 2}
    recited = {text for text in recited if len(text) > _RECITED_CHARACTERS}
    spelled: dict[str, Counter[str]] = {}
    for entry in raw:
        entry["from"] = tidy_nick(entry["from"])
        spelled.setdefault(fold(entry["from"]), Counter())[entry["from"]] += 1
    fit = {key: filters.is_fit_name(key) and not filters.is_bot(key) for key in spelled}
    sittings = tuple(_sitting(part, recited, fit) for part in _divide(raw))
    return Corpus(sittings, {key: min(names, key=lambda name: (-names[name], name)) for key, names in spelled.items()})


def read_kdconv(path: Path) -> tuple[Dialogue, ...]:
    """The Chinese conversations of which every line may be shown."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        raw = [json.loads(line) for line in file]
    return tuple(
        Dialogue(entry["topic"], entry["name"], tuple(text.strip() for text in entry["messages"]))
        for entry in raw
        if all(filters.may_be_shown(text.strip()) for text in entry["messages"])
    )


def _divide(raw: Sequence[dict[str, object]]) -> Iterator[list[tuple[int, str, str]]]:
    part: list[tuple[int, str, str]] = []
    for entry in raw:
        time, nick, text = int(str(entry["time"])), str(entry["from"]), str(entry["text"]).strip()
        if part and time - part[-1][0] > _SITTING_GAP:
            yield part
            part = []
        part.append((time, nick, text))
    if part:
        yield part


def _sitting(part: Sequence[tuple[int, str, str]], recited: set[str], fit: dict[str, bool]) -> Sitting:
    nicks = {nick for _, nick, _ in part}
    present = {fold(nick) for nick in nicks}
    recent: list[tuple[str, str]] = []
    lines: list[Line] = []
    for number, (time, nick, text) in enumerate(part):
        speaker = fold(nick)
        if not fit[speaker] or text.lower() in recited or (speaker, text) in recent[-_FLOOD_WINDOW:]:
            continue
        if len(text) > _FLOOD_CHARACTERS:
            recent.append((speaker, text))
        if not filters.may_be_shown(text):
            continue
        to, body = _address(text, present, nicks)
        if to is not None and not fit[to]:
            continue
        if body and to != speaker:
            lines.append(Line(number, time, speaker, to, body, text))
    return Sitting(part[0][0], tuple(lines))


def _address(text: str, present: set[str], nicks: set[str]) -> tuple[str | None, str]:
    """To whom a line is directed, and the rest. Without a colon only a nick counts that cannot be a common word."""
    found = _ADDRESSED.fullmatch(text)
    if found and fold(found[1]) in present:
        return fold(found[1]), found[2].strip()
    found = _BARE.fullmatch(text)
    if found and found[1] in nicks and not found[1].islower() and not found[1].istitle():
        return fold(found[1]), found[2].strip()
    return None, text
