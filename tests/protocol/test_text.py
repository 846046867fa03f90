"""What others wrote cannot reach a terminal as commands, and stays readable."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidName, TextEmpty, TextTooLong
from tui_chat.protocol.text import accept_name, accept_text, clean_name, clean_text, escape_in_json, preview

OBEYED = (
    {chr(code) for code in range(0x20) if chr(code) != "\n"}
    | {chr(code) for code in range(0x7F, 0xA0)}
    | set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff")
    | {chr(code) for code in range(0xD800, 0xE000)}
)

HOSTILE = [
    "\x1b]0;X\x07",
    "\x1b]52;c;QQ==\x07",
    "\x1b[2J",
    "\x1b[6n",
    "\x1b]8;;http://e\x1b\\",
    "\x9b31m",
    "\x9d0;X\x9c",
    "\x1bPq\x1b\\",
    "\x1bc",
    "\u202e",
    "\u2066",
    "\x1b]",
    "\ud800",
    "\r",
    "\x00",
]


@pytest.mark.parametrize("payload", HOSTILE)
def test_nothing_that_a_terminal_obeys_is_left_and_the_words_around_stay(payload: str) -> None:
    cleaned = clean_text(f"before{payload}after")
    assert not OBEYED & set(cleaned)
    assert cleaned.startswith("before")
    assert cleaned.endswith("after")


@given(st.text(alphabet=st.characters(exclude_categories=()) | st.sampled_from(sorted(OBEYED)), max_size=200))
def test_any_text_is_harmless_and_cleaning_it_again_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)
    assert not OBEYED & set(cleaned)
    assert clean_text(cleaned) == cleaned
    cleaned.encode("utf-8")
    name = clean_name(text)
    assert not (OBEYED | {"\n"}) & set(name)
    assert clean_name(name) == name


@given(st.text(alphabet=st.characters(exclude_categories=()) | st.sampled_from(sorted(OBEYED)), max_size=200))
def test_any_text_in_json_is_harmless_and_the_same(text: str) -> None:
    line = escape_in_json(json.dumps(text, ensure_ascii=False))
    assert not (OBEYED | {"\n"}) & set(line)
    assert clean_text(line) == line
    assert json.loads(line) == json.loads(json.dumps(text))


@pytest.mark.parametrize("text", ["plain", "two\nlines", "小林, 你好！", "👩‍👩‍👧 and 👍🏽", "é ñ ü", "שלום", "नमस्ते"])
def test_what_people_write_is_left_as_it_is(text: str) -> None:
    assert clean_text(text) == text
    assert escape_in_json(json.dumps(text, ensure_ascii=False)) == f'"{text}"'.replace("\n", "\\n")


def test_line_ends_and_tabs_become_what_every_pane_can_show() -> None:
    assert clean_text("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd    e"


@pytest.mark.parametrize(
    "pile",
    ["\u0301" * 1000, "\u0e47" * 1000, ("\u0301" * 8 + "\u200d") * 100, ("\u0301" * 8 + "\u034f") * 100, "\u20dd" * 9],
    ids=["acute accents", "marks of class 0", "with joiners between", "with joining marks between", "circles"],
)
def test_piled_up_marks_are_clamped(pile: str) -> None:
    cleaned = clean_text(f"a{pile}b")
    assert sum(unicodedata.category(character) in ("Mn", "Me") for character in cleaned) == 8
    assert cleaned.startswith("a")
    assert cleaned.endswith("b")


def test_the_tallest_letters_that_are_written_stay_as_they_are() -> None:
    tibetan = "\u0f67\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb\u0f82"
    thai, hebrew, keycap = "\u0e01\u0e33\u0e14\u0e37\u0e48\u0e21", "\u05e9\u05c1\u05b8\u05b2\u0591", "1\ufe0f\u20e3"
    for text in (tibetan, thai, hebrew, keycap):
        assert clean_text(text) == text


def test_text_is_refused_not_cut() -> None:
    assert accept_text("x" * limits.TEXT_BYTES) == "x" * limits.TEXT_BYTES
    with pytest.raises(TextTooLong):
        accept_text("x" * (limits.TEXT_BYTES + 1))
    with pytest.raises(TextTooLong):
        accept_text("林" * (limits.TEXT_BYTES // 3 + 1))


def test_tabs_count_as_the_spaces_that_are_stored() -> None:
    with pytest.raises(TextTooLong):
        accept_text("a" + "\t" * (limits.TEXT_BYTES - 1))
    stored = accept_text("a" * (limits.TEXT_BYTES - 4) + "\t")
    assert len(stored) == limits.TEXT_BYTES
    assert accept_text(stored) == stored, "a message can be edited to what it is"


@pytest.mark.parametrize("text", ["", "  \n ", "\x1b\x07", "\u200b\u2060", "\u202e"])
def test_a_text_of_which_nothing_is_left_is_refused(text: str) -> None:
    with pytest.raises(TextEmpty):
        accept_text(text)


def test_nothing_but_what_cannot_be_seen_is_empty() -> None:
    """Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), but for what is not assigned in plane 14."""
    ignorable = (
        "\u00ad \u034f \u061c \u115f-\u1160 \u17b4-\u17b5 \u180b-\u180f \u200b-\u200f \u202a-\u202e \u2060-\u206f"
        " \u3164 \ufe00-\ufe0f \ufeff \uffa0 \ufff0-\ufff8 \U0001bca0-\U0001bca3 \U0001d173-\U0001d17a"
        " \U000e0001 \U000e0020-\U000e007f \U000e0100-\U000e01ef"
    )
    for span in ignorable.split(" "):
        for code in range(ord(span[0]), ord(span[-1]) + 1):
            with pytest.raises(TextEmpty):
                accept_text(f" {chr(code)}")
            with pytest.raises(InvalidName):
                accept_name(chr(code))


@pytest.mark.parametrize("name", ["", " ", "\u3164", "\u2800\u115f", "x" * 61, "\x1b"])
def test_a_name_that_nobody_could_read_is_refused(name: str) -> None:
    with pytest.raises(InvalidName, match="nick"):
        accept_name(name, "a nick")


def test_names_that_look_alike_are_alike() -> None:
    for filler in "\u3164\u034f\u206a\u2065\ufff0\U0001d173":
        assert clean_name(f"bo{filler}b") == "bob"
    assert clean_name("e\u0301") == "é"
    assert clean_name("e\u200b\u0301") == "é"
    assert clean_name(" a \n  b ") == "a b"


@given(st.text(st.sampled_from("ae \n\u200b\u200d\u115f\u1160\u1100\u1161\u0301\u0323\u034f\u0e47\ufe0f\u202e\x1b")))
def test_what_is_clean_is_left_as_it_is(text: str) -> None:
    for clean in (clean_text, clean_name):
        assert clean(clean(text)) == clean(text)
    assert unicodedata.is_normalized("NFC", clean_name(text))


def test_a_preview_is_one_short_line() -> None:
    assert preview("a\nb   c") == "a b c"
    assert len(preview("x" * 5000)) == limits.PREVIEW_CHARACTERS
