"""Which characters and pairs of characters stand in a stretch of text: a Bloom filter, which is small and forgets
nothing. It tells where a word cannot be, in any language, down to one character; where it may be, the text is read.

Whole words would not find Chinese, which has no spaces; a row for each pair of each message (measured on mail: about
130 of them) takes many times the room of the messages themselves, and the time of sending them several times over.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from operator import add
from typing import Final
from zlib import crc32

BITS_A_GRAM: Final = 8
"""With two bits set for each, about 5 in 100 of those that are not there seem to be; of longer words far fewer, because
every pair in them has to seem so."""
_LEAST_BITS: Final = 64
_MOST_BITS: Final = 65_536
"""Two halves of a checksum of 32 bits say which bits are set."""

Gram = tuple[int, int]
"""The two bits of a character or a pair, before they are cut down to a signature's length."""


def folded(text: str) -> str:
    """The form in which text is searched: letter case does not count, nor the width of characters."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def signature_of(texts: Iterable[str]) -> bytes:
    """The signature of folded texts."""
    words = " ".join({word for text in texts for word in text.split()})
    grams = set(words)
    grams.update(map(add, words, words[1:]))
    bits = _LEAST_BITS
    while bits < BITS_A_GRAM * len(grams) and bits < _MOST_BITS:
        bits *= 2
    mask = bits - 1
    signature = bytearray(bits // 8)
    for gram in grams:
        if " " not in gram:
            number = crc32(gram.encode())
            one, other = number & mask, (number >> 16) & mask
            signature[one >> 3] |= 1 << (one & 7)
            signature[other >> 3] |= 1 << (other & 7)
    return bytes(signature)


def grams_of(words: Iterable[str]) -> list[Gram]:
    """What must stand in a signature where all these folded words do."""
    wanted = {gram for word in words for gram in (map(add, word, word[1:]) if len(word) > 1 else (word,))}
    return [(number & 0xFFFF, number >> 16) for number in (crc32(gram.encode()) for gram in sorted(wanted))]


def may_hold(signature: bytes, grams: Sequence[Gram]) -> bool:
    """Whether text with such a signature may hold all of the words."""
    mask = len(signature) * 8 - 1
    for one, other in grams:
        one, other = one & mask, other & mask
        if not (signature[one >> 3] >> (one & 7) & 1 and signature[other >> 3] >> (other & 7) & 1):
            return False
    return True
