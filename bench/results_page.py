"""Prints the tables and writes them to bench/results.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from bench import machine, tables
from bench.plan import Round, Scale
from bench.tables import Table

PAGE = Path(__file__).parent / "results.md"

_BEGIN = """# The cost of a check in many accounts

Made by `make bench`, not by hand. A stub of STS, S3 and CloudWatch Logs on loopback responds to each call after a fixed
latency; what it lists is named after the access key that signed the request, so every response proves whose credentials
were used. For the checks that judge it repeats what moto answered of an account with tens of things, a share of them
bad, in the name of the account that signed; Access Analyzer's answers are written by hand. Each measurement has a new
process and a new stub, and all alternate, {rounds} times: medians, in brackets minimum and maximum. CPU is user and
system time of the contender alone. Compare only within a table; absolute times depend on this machine.

A cold start is the zip and the layer that `chalice package` makes, unpacked as in Lambda, under AWS's own runtime
client, in a process that keeps no bytecode; its CPU is what the kernel has counted for the process when its response
arrives. Lambda gives CPU in proportion to memory, [a whole one at 1,769 MB]({memory}), so 512 MB have 0.29. In a cgroup
with that quota these responses came after 0.98 to 1.00 times CPU / 0.29. An on-demand function has
[a whole one until it asks for its event]({init}), according to AWS; one with provisioned concurrency has not. The stub
speaks HTTP: on AWS a first response also reads the CA certificates, once, and makes two connections with TLS.
"""
_MEMORY = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
_INIT = (
    "https://serverlessland.com/content/service/lambda/guides/effectively-running-java-on-serverless/init-heavy-lifting"
)


def all_tables(rounds: Sequence[Round], scale: Scale) -> list[Table]:
    return [
        make(rounds, scale) for make in (tables.goals, tables.all_contenders, tables.ready, tables.cold, tables.rest)
    ]


def show(made: Sequence[Table], console: Console) -> None:
    for table in made:
        shown = RichTable(title=table.title, caption=table.note or None, title_justify="left", caption_justify="left")
        for number, head in enumerate(table.heads):
            shown.add_column(head, justify="right" if number else "left", overflow="fold")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown, "")


def write(made: Sequence[Table], rounds: int) -> None:
    parts = [_BEGIN.format(rounds=rounds, memory=_MEMORY, init=_INIT)]
    parts += [f"- {name}: {fact}" for name, fact in machine.facts().items()]
    for table in made:
        parts += ["", f"## {table.title}", ""]
        if table.note:
            parts += [table.note, ""]
        parts.append(_row(table.heads))
        parts.append("|---" + "|---:" * (len(table.heads) - 1) + "|")
        parts += [_row(row) for row in table.rows]
    PAGE.write_text("\n".join(parts) + "\n")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.strip() for cell in cells) + " |"
