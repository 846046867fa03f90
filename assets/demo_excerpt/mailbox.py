"""Arrange what was chosen as one person's mailbox: times, unread, pinned, muted, left, and what goes on live."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from . import timing
from .choice import ALICE, BOB, CAROL, Channel, Choice, Talk
from .corpus import Dialogue, Line

LIVE_MAIN: Final = 320
LIVE_FRIEND: Final = 24
_LEFT: Final = (
    "breezy",
    "edgy",
    "gutsy",
    "intrepid",
    "karmic",
    "maverick",
    "oneiric",
    "quantal",
    "burning",
    "compiz",
    "java",
    "databases",
    "xfce",
)
_DISMISSED: Final = ("hoary", "flash")
_KICKED: Final = ("games",)
_MUTED_LOUD: Final = ("utopic", "vivid", "wily", "lucid")
"""Muted, and over a hundred unread: what one means to look at some day."""
_MUTED: Final = ("trusty", "display", "mail", "python", "kde")
_PINNED: Final = ("#ubuntu", "#ssh")
_LIVELY: Final = ("wifi", "grub", "packages", "shell", "servers", "kernel")
"""Small groups where the talk goes on while the demo runs."""
_LIVELY_CHINESE: Final = "小林"
_RECENT_MINUTES: Final = {"wifi": 3, "grub": 11, "packages": 19, "shell": 34, "servers": 52, "kernel": 95, "ssh": 140}


@dataclass(frozen=True)
class Said:
    """One message: seconds before now (negative), who (a folded nick or one of the demo's own), what."""

    at: int
    who: str
    text: str


@dataclass(frozen=True)
class Box:
    """One conversation of alice's mailbox."""

    kind: str
    name: str
    said: tuple[Said, ...]
    live: tuple[Said, ...] = ()
    unread: int = 0
    pinned: bool = False
    muted: bool = False
    ended: str = ""
    chinese: bool = False
    order: int = field(default=0, compare=False)


def arrange(choice: Choice, dialogues: Sequence[Dialogue], names: Sequence[str], *, talks: int, seed: int) -> list[Box]:
    """The mailbox. `names` are the keys of the Chinese partners, as many as there are dialogues to use."""
    rng = random.Random(seed)
    boxes = [
        _main(channel, rng) if channel.name == "#ubuntu" else _channel(channel, rng) for channel in choice.channels
    ]
    boxes += [_topic(channel, rng) for channel in choice.topics]
    chosen = _pick_talks(choice.talks, talks, rng)
    partners: list[Talk | tuple[str, Dialogue]] = [*chosen, *zip(names, dialogues, strict=False)]
    rng.shuffle(partners)
    moments = timing.ends(len(partners), rng)
    for moment, entry in zip(moments, partners, strict=True):
        if isinstance(entry, Talk):
            boxes.append(_friend(entry, rng) if entry.partner in (BOB, CAROL) else _talk(entry, moment, rng))
        else:
            boxes.append(_chinese(*entry, moment, rng))
    return [box for box in boxes if box.said]


def _main(channel: Channel, rng: random.Random) -> Box:
    """The channel that never sleeps: its newest line is the newest of all."""
    parts = [list(part) for part in channel.parts]
    live = parts[-1][_cut(parts[-1]) :]
    parts[-1] = parts[-1][: -len(live) or None] or parts[-1]
    times = timing.join([timing.pace(part, 1.0) for part in parts], 0, (0.1, 0.6), rng)
    lines = [line for part in parts for line in part]
    said = _hush(_said(lines, times), 14)
    return Box("group", channel.name, said, _live(live), unread=_unread(said, 14), pinned=True)


def _cut(lines: Sequence[Line]) -> int:
    """Where the newest line is to be: some LIVE_MAIN lines before the end, and just after alice was spoken to."""
    asked = [index for index, line in enumerate(lines) if line.to == ALICE]
    wanted = len(lines) - LIVE_MAIN
    return min((index + 4 for index in asked), key=lambda index: abs(index - wanted), default=wanted)


def _channel(channel: Channel, rng: random.Random) -> Box:
    """A channel of one release: older releases fell silent, newer ones are still in use."""
    release = channel.name.removeprefix("#ubuntu-")
    ended = _ended(release)
    newer = release in (*_MUTED_LOUD, "trusty", "natty", "precise", "raring", "saucy")
    last = rng.uniform(0.4, 25) if newer else rng.uniform(120, 560)
    times = timing.join(
        [timing.pace(part, rng.uniform(8, 30)) for part in channel.parts], round(last * 86_400), (1, 9), rng
    )
    unread = rng.randint(150, 220) if release in _MUTED_LOUD else rng.choice((0, 0, 0, 3, 8))
    unread = 0 if ended == "left" else unread
    said = _hush(_said([line for part in channel.parts for line in part], times), unread)
    muted = release in (*_MUTED_LOUD, *_MUTED)
    return Box("group", channel.name, said, unread=_unread(said, unread), muted=muted, ended=ended)


def _topic(channel: Channel, rng: random.Random) -> Box:
    """A small group about one thing: a question every few days or weeks."""
    topic = channel.name.removeprefix("#")
    lively = topic in _LIVELY and len(channel.parts) > 2
    parts = channel.parts[:-1] if lively else channel.parts
    minutes = _RECENT_MINUTES.get(topic)
    last = minutes * 60 if minutes else round(rng.choice((rng.uniform(1, 40), rng.uniform(40, 600))) * 86_400)
    times = timing.join([timing.pace(part, 1.0) for part in parts], last, (2, 45), rng)
    unread = rng.choice((0, 2, 5, 9)) if last < 30 * 86_400 and _ended(topic) != "left" else 0
    said = _hush(_said([line for part in parts for line in part], times), unread)
    return Box(
        "group",
        channel.name,
        said,
        _live(channel.parts[-1]) if lively else (),
        unread=_unread(said, unread),
        pinned=channel.name in _PINNED,
        muted=topic in _MUTED,
        ended=_ended(topic),
    )


def _ended(name: str) -> str:
    return "left" if name in _LEFT else "dismissed" if name in _DISMISSED else "kicked" if name in _KICKED else ""


def _friend(talk: Talk, rng: random.Random) -> Box:
    """bob and carol: long talks that are fresh, and of which some lines are kept for later."""
    lines = [line for thread in talk.threads for line in thread]
    own = [index for index, line in enumerate(lines) if line.speaker != ALICE]
    cut = own[-LIVE_FRIEND] if len(own) > 2 * LIVE_FRIEND else len(lines)
    live = [line for line in lines[cut:] if line.speaker != ALICE]
    last = 48 if talk.partner == BOB else 5 * 3600
    times = timing.join([timing.pace(lines[:cut], 1.0)], last, (0, 0), rng)
    said = _last_word(_said(lines[:cut], times))
    unread = 2 if talk.partner == BOB else 0
    return Box("c2c", talk.partner, said, _live(live), unread=_unread(said, unread), pinned=talk.partner == CAROL)


def _talk(talk: Talk, last: int, rng: random.Random) -> Box:
    threads = talk.threads
    times = timing.join([timing.pace(thread, 1.0) for thread in threads], last, (1, 30), rng)
    said = _said([line for thread in threads for line in thread], times)
    unread = 0
    if (last < 20 * 86_400 and rng.random() < 0.4) or rng.random() < 0.03:
        said = _last_word(said)
        unread = rng.randint(1, 4)
    return Box("c2c", talk.partner, said, unread=_unread(said, unread), muted=rng.random() < 0.02)


def _chinese(key: str, dialogue: Dialogue, last: int, rng: random.Random) -> Box:
    """Two take turns; who asks first is alice or the other. Short ones exist, too: a question that led nowhere."""
    texts = dialogue.texts
    lively = key == _LIVELY_CHINESE
    if rng.random() < 0.15 and not lively:
        texts = texts[: rng.choice((1, 1, 2, 3))]
    speakers = (key, ALICE) if len(texts) < 3 or rng.random() < 0.5 or lively else (ALICE, key)
    times = [time - last for time in _to_zero(timing.turns(len(texts), rng))]
    said = tuple(Said(at, speakers[index % 2], text) for index, (at, text) in enumerate(zip(times, texts, strict=True)))
    if not lively:
        unread = 1 if said[-1].who == key and (rng.random() < 0.15 or last < 4 * 86_400) else 0
        return Box("c2c", key, said, unread=unread, chinese=True)
    cut = max(1, len(said) - 9 + len(said) % 2)  # odd: the other, who began, has the last word
    said = _moved(said[:cut], 12 * 60)
    rest = tuple(Said(0, key, text) for text in texts[cut:][1::2])
    return Box("c2c", key, said, rest, unread=1, chinese=True, pinned=True)


def _pick_talks(talks: Sequence[Talk], count: int, rng: random.Random) -> list[Talk]:
    """The longest, besides some of every other kind: a single message, nobody ever answered, a few lines."""
    friends = [talk for talk in talks if talk.partner in (BOB, CAROL)]
    rest = [talk for talk in talks if talk.partner not in (BOB, CAROL)]
    single = [talk for talk in rest if _size(talk) == 1 and _length(talk) > 20]
    unanswered = [talk for talk in rest if _size(talk) in (2, 3, 4) and not _has_alice(talk)]
    short = [talk for talk in rest if 3 <= _size(talk) <= 9 and _has_alice(talk)]
    long = sorted((talk for talk in rest if _size(talk) > 9), key=lambda talk: (-_size(talk), talk.partner))
    for group in (single, unanswered, short):
        rng.shuffle(group)
    some = [*friends, *single[: count // 8], *unanswered[: count // 10], *short[: count // 5]]
    some += long[: count - len(some)]
    spare = [talk for talk in (*short[count // 5 :], *single[count // 8 :]) if talk not in some]
    some += spare[: count - len(some)]
    return sorted(some, key=lambda talk: talk.partner)


def _size(talk: Talk) -> int:
    return sum(map(len, talk.threads))


def _length(talk: Talk) -> int:
    return sum(len(line.text) for thread in talk.threads for line in thread)


def _has_alice(talk: Talk) -> bool:
    return any(line.speaker == ALICE for thread in talk.threads for line in thread)


def _said(lines: Sequence[Line], times: Sequence[int]) -> tuple[Said, ...]:
    one_to_one = {line.speaker for line in lines} | {ALICE}
    direct = len(one_to_one) <= 2
    return tuple(
        Said(at, line.speaker, line.text if direct else line.whole) for at, line in zip(times, lines, strict=True)
    )


def _live(lines: Sequence[Line]) -> tuple[Said, ...]:
    """What peers will say: everything but alice's part; what was said to her stays, so she is mentioned."""
    direct = len({line.speaker for line in lines} - {ALICE}) <= 1
    return tuple(Said(0, line.speaker, line.text if direct else line.whole) for line in lines if line.speaker != ALICE)


def _hush(said: tuple[Said, ...], unread: int) -> tuple[Said, ...]:
    """Alice says nothing in the last `unread` lines (writing would have read them); what was said to her stays."""
    return tuple(one for index, one in enumerate(said) if index < len(said) - unread or one.who != ALICE)


def _unread(said: tuple[Said, ...], wanted: int) -> int:
    trailing = 0
    for one in reversed(said):
        if one.who == ALICE:
            break
        trailing += 1
    return min(wanted, trailing)


def _last_word(said: tuple[Said, ...]) -> tuple[Said, ...]:
    """Without alice's lines at the end, if anything is left; the end keeps its time."""
    kept = list(said)
    while kept and kept[-1].who == ALICE:
        kept.pop()
    return _moved(tuple(kept), -said[-1].at) if kept else said


def _moved(said: tuple[Said, ...], last: int) -> tuple[Said, ...]:
    return tuple(replace(one, at=one.at - said[-1].at - last) for one in said)


def _to_zero(times: Sequence[int]) -> list[int]:
    return [time - times[-1] for time in times]
