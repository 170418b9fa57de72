"""The page of results, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from audit.prowler.pairs import NOT_COMPARED, Pair
from chalicelib.checks import posture

Place = tuple[str, str, str]
"""An account, a region ("" if the check is global) and a resource."""

Judged = Mapping[Place, str]
"""PASS, FAIL or unknown."""

HEAD = """\
# Our verdicts and Prowler's

Made by `make compare`: two accounts in moto, in two regions, asked by the checks here and by Prowler with
`--scan-unused-services`. {versions}.

`ok` is PASS, and `alarm` is FAIL. So is `info`, by which these checks mean what would be an alarm if anything used it.
A `skip` is not judged. Of what an account has one of, both accounts are compared; of the rest, the first.

**{equal} of {all} comparisons, of {checks} checks, are equal:** the same resources are judged, with the same verdicts.

| Check | Prowler's | Here | There | |
|---|---|---|---|---|
"""


def page(compared: Sequence[tuple[Pair, Judged, Judged]], versions: str, names: Mapping[str, str]) -> str:
    """Render.

    Args:
        compared: each pair with what is judged here and there.
        versions: of what.
        names: of resources whose ids say nothing.
    """
    equal = [pair for pair, ours, theirs in compared if ours == theirs]
    checks = len({pair.ours for pair in equal})
    others = [name for name in posture() if name not in {pair.ours for pair, _, _ in compared}]
    return "".join(
        [
            HEAD.format(versions=versions, equal=len(equal), all=len(compared), checks=checks),
            *(_row(*one) for one in compared),
            "\n## What differs, and why\n",
            *(_difference(*one, names) for one in compared if one[1] != one[2]),
            "\n## Equal here, but not everywhere\n\n",
            *(f"- `{pair.ours}`: {pair.but}\n" for pair in equal if pair.but),
            "\n## Not compared\n\n",
            *(
                f"- `{name}`: {NOT_COMPARED.get(name, 'nobody has looked for a check of Prowler for it yet.')}\n"
                for name in others
            ),
        ]
    )


def _row(pair: Pair, ours: Judged, theirs: Judged) -> str:
    named = ", ".join(f"`{name}`" for name in pair.theirs)
    result = "differs"
    if ours == theirs:
        result = "equal"
    elif _failed(ours) == _failed(theirs):
        result = "the same FAIL"
    return f"| {_title(pair)} | {named} | {_counts(ours)} | {_counts(theirs)} | {result} |\n"


def _title(pair: Pair) -> str:
    return f"`{pair.ours}`, {pair.thing}" if pair.thing else f"`{pair.ours}`"


def _counts(judged: Judged) -> str:
    statuses = [*judged.values()]
    return ", ".join(f"{statuses.count(one)} {one}" for one in ("FAIL", "PASS", "unknown") if one in statuses)


def _failed(judged: Judged) -> set[Place]:
    return {place for place, status in judged.items() if status == "FAIL"}


def _difference(pair: Pair, ours: Judged, theirs: Judged, names: Mapping[str, str]) -> str:
    lines = [f"\n**{_title(pair)[1:].replace('`', '')}:** {pair.why or 'Not explained yet.'}\n\n"]
    passed = sum(status == "PASS" for place, status in theirs.items() if place not in ours)
    if passed:
        lines.append(f"- {passed} not judged here, PASS there\n")
    return "".join([*lines, *_lines(ours, theirs, names)])


def _lines(ours: Judged, theirs: Judged, names: Mapping[str, str]) -> Iterator[str]:
    """All but what has PASS there and nothing here, which is counted."""
    for place in sorted({*ours, *theirs}):
        here, there = ours.get(place, "not judged"), theirs.get(place, "not judged")
        if here != there and (here, there) != ("not judged", "PASS"):
            resource = names.get(place[2], place[2])
            where = " ".join(part for part in place[:2] if part)
            yield f"- {resource} ({where}): {here} here, {there} there\n"
