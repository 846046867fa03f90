"""Short lines that fit as an answer to nearly anything, because many people wrote them word for word."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from .corpus import Corpus, Dialogue

_NOT_AN_ANSWER = re.compile(
    r"\b(?:all|guys|everyone|everybody|folks|anyone|anybody|somebody|someone|people|channel|room|help|ask|question|hola"
    r"|hello|hi|hey|morning|evening|sudo|ubuntu|linux|google|gnome|windows|install\w*|update\w*|upgrade\w*|command"
    r"|apt|root|kernel|rtfm|nick|flood|paste\w*|op|ops|como|que|de|el|la|il|no se|tutti|ram"
    r"|lists|ciao)\b|[/_<>|=\\#*~{}^]|-\w|^\W",
    re.IGNORECASE,
)
_CHINESE_ANSWER = re.compile("好的|谢谢|不客气|不清楚|不知道|没关系|是的|再见|哈哈|没错|确实|可不是|当然|有道理|厉害")
_CHINESE_TOPIC = re.compile("[他她它导演影星美国德英日专辑票房歌景梁周发华坤制作基督女座男姑娘飞剧片倩电缘费生编]")
"""What would tell of a film, a singer or a sight."""
_CHINESE_MOST = 14
_ENGLISH_MOST = 48


def english(corpus: Corpus, count: int) -> list[str]:
    """The `count` whole lines of two to eight words that most people wrote, as most of them spelled it."""
    spelled: dict[str, Counter[str]] = {}
    writers: dict[str, set[str]] = {}
    for sitting in corpus.sittings:
        for line in sitting.lines:
            text = line.text
            if len(text) <= _ENGLISH_MOST and 2 <= len(text.split()) <= 8 and text.isascii():
                plain = re.sub(r"[^a-z' ]", "", text.lower()).strip()
                if len(plain.split()) > 1 and not _NOT_AN_ANSWER.search(text):
                    spelled.setdefault(plain, Counter())[text] += 1
                    writers.setdefault(plain, set()).add(line.speaker)
    best = sorted(spelled, key=lambda plain: (-len(writers[plain]), plain))[:count]
    return [_most_common(spelled[plain]) for plain in best]


def chinese(dialogues: Sequence[Dialogue], count: int) -> list[str]:
    """The same in Chinese: short lines of agreement, thanks or not knowing."""
    texts: Iterable[str] = (text for dialogue in dialogues for text in dialogue.texts)
    counts = Counter(
        text
        for text in texts
        if len(text) <= _CHINESE_MOST
        and _CHINESE_ANSWER.search(text)
        and not _CHINESE_TOPIC.search(text)
        and not re.search(r"[0-9A-Za-z《》？?年]", text)
    )
    return sorted(counts, key=lambda text: (-counts[text], text))[:count]


def _most_common(counts: Counter[str]) -> str:
    return min(counts, key=lambda text: (-counts[text], text))
