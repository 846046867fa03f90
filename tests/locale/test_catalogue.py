"""The Chinese catalogue says everything that the program says, with the same values in it."""

from collections.abc import Iterator
from io import BytesIO
from string import Formatter
from typing import Final

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo

from tests.locale import catalogue

ALSO_GIVEN: Final = {"short_month": "month_number", "month": "month_number"}
"""Where a text has the one, a translation may have the other (tui/render/times.py gives both)."""


def messages() -> list[Message]:
    """Every entry but the head."""
    return [message for message in catalogue.stored() if message.id]


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    assert text is not None
    return (text,) if isinstance(text, str) else tuple(text)


def placeholders(text: str) -> set[str]:
    return {name for _text, name, _format, _conversion in Formatter().parse(text) if name is not None}


def translated() -> Iterator[tuple[str, str]]:
    """Each text as it is translated from: in Chinese that is the plural, where there is one."""
    for message in messages():
        for form in forms(message.string):
            yield forms(message.id)[-1], form


def test_it_has_every_text_of_the_program_and_no_other() -> None:
    def ids(of: list[Message]) -> set[tuple[str, ...]]:
        return {forms(message.id) for message in of}

    program = ids([message for message in catalogue.template() if message.id])
    run = "run python -m tests.locale.catalogue and translate"
    assert ids(messages()) == program, run


def test_everything_is_translated_and_nothing_is_a_guess() -> None:
    stored = catalogue.stored()

    assert catalogue.missing(stored) == []
    assert [message.id for message in stored if message.fuzzy] == []
    assert not stored.obsolete


def test_each_counted_text_has_the_one_form_that_chinese_has() -> None:
    assert catalogue.stored().num_plurals == 1
    assert [message.id for message in messages() if message.pluralizable and len(forms(message.string)) != 1] == []


def test_values_stand_in_a_translation_as_in_the_text() -> None:
    def values(text: str) -> set[str]:
        return {ALSO_GIVEN.get(name, name) for name in placeholders(text)}

    assert [(text, form) for text, form in translated() if values(text) != values(form)] == []


def test_the_indent_of_a_text_is_kept_and_it_stays_one_line() -> None:
    def indent(text: str) -> int:
        return len(text) - len(text.lstrip())

    assert [form for text, form in translated() if indent(text) != indent(form) or "\n" in form] == []


@pytest.mark.parametrize("key", ["Ctrl+", "Shift+", "Enter", "Esc", "Space", "F1", "`tui-chat demo`"])
def test_names_of_keys_are_kept(key: str) -> None:
    sentences = [(text, form) for text, form in translated() if key in text]

    assert sentences
    assert [form for _text, form in sentences if key not in form] == []


def test_the_compiled_file_is_made_from_the_one_people_edit() -> None:
    def content(compiled: bytes) -> dict[tuple[str, ...], tuple[str, ...]]:
        # Without the head: it names the version of what compiled it.
        return {forms(message.id): forms(message.string) for message in read_mo(BytesIO(compiled)) if message.id}

    assert content(catalogue.MO.read_bytes()) == content(catalogue.compiled(catalogue.stored()))


def test_bringing_it_up_to_date_changes_nothing_that_is_up_to_date() -> None:
    def body(po: bytes) -> bytes:
        return po.partition(b"\n\n")[2]

    assert body(catalogue.as_po(catalogue.updated(catalogue.stored()))) == body(catalogue.PO.read_bytes())
