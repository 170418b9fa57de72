"""New documentation cannot forget it: every command has its place in the table, and runs or says why not."""

from __future__ import annotations

import re

import pytest

from tests.documented.commands import mentioned, said, written
from tests.documented.table import TABLE, Elsewhere, Runs, fate, is_part_of_one
from tests.templates import ROOT

WRITTEN = [command.text for command in written()]


@pytest.mark.parametrize(("text", "place"), sorted({(each.text, each.place) for each in written()}))
def test_a_command_to_be_typed_has_its_entry(text: str, place: str) -> None:
    assert fate(text), f"a new command in {place}: add it to tests/documented/table.py"


@pytest.mark.parametrize(
    ("text", "place"), sorted({(each.text, each.place) for each in mentioned()} | said()), ids=lambda value: value
)
def test_a_command_in_a_sentence_or_a_hint_has_its_entry_or_is_a_part_of_one(text: str, place: str) -> None:
    assert fate(text) or is_part_of_one(text, WRITTEN), f"a new command in {place}: tests/documented/table.py"


@pytest.mark.parametrize("key", TABLE)
def test_an_entry_is_of_a_command_that_is_there(key: str) -> None:
    everywhere = [*WRITTEN, *(each.text for each in mentioned()), *(command for command, _ in said())]
    assert any(text.startswith(key) if isinstance(TABLE[key], Runs) else text == key for text in everywhere)


@pytest.mark.parametrize("test", sorted({what.test for what in TABLE.values() if isinstance(what, Elsewhere)}))
def test_where_another_test_holds_a_command_there_is_that_test(test: str) -> None:
    file, _, name = test.partition("::")
    assert not name or re.search(rf"def {name}\b", (ROOT / file).read_text())
