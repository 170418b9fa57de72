"""New documentation cannot forget it: every command has its place in the table, and runs or says why not."""

from __future__ import annotations

import re

from tests.documented.commands import mentioned, said, written
from tests.documented.table import TABLE, Elsewhere, Runs, fate, is_part_of_one
from tests.templates import ROOT

WRITTEN = [command.text for command in written()]


def test_a_command_to_be_typed_has_its_entry() -> None:
    new = [command for command in written() if not fate(command.text)]
    assert new == [], "add them to tests/documented/table.py"


def test_a_command_in_a_sentence_or_a_hint_has_its_entry_or_is_a_part_of_one() -> None:
    everywhere = {(command.text, command.place) for command in mentioned()} | said()
    new = [(text, place) for text, place in everywhere if not fate(text) and not is_part_of_one(text, WRITTEN)]
    assert new == [], "add them to tests/documented/table.py"


def test_an_entry_is_of_a_command_that_is_there() -> None:
    everywhere = [*WRITTEN, *(command.text for command in mentioned()), *(text for text, _ in said())]

    def is_there(key: str) -> bool:
        return any(text.startswith(key) if isinstance(TABLE[key], Runs) else text == key for text in everywhere)

    assert [key for key in TABLE if not is_there(key)] == []


def test_where_another_test_holds_a_command_there_is_that_test() -> None:
    for what in TABLE.values():
        if isinstance(what, Elsewhere):
            file, _, name = what.test.partition("::")
            assert re.search(rf"def {name}\b" if name else "", (ROOT / file).read_text()), what.test
