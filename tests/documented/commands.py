"""Every command that the pages, the templates and the messages of the project name, taken out of them."""

from __future__ import annotations

import ast
import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.templates import ROOT

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(path for folder in ("docs", "bench", "audit", "tests") for path in sorted((ROOT / folder).rglob("*.md"))),
]
TEMPLATES = [ROOT / "role-template.yaml", ROOT / "sweep-template.yaml"]
CODE = [
    ROOT / "app.py",
    ROOT / "sweep.py",
    *(
        path
        for folder in ("chalicelib", "terminal", "sandbox", "acceptance")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ),
]
PROGRAMS = ("aws", "chalice", "make", "python", "sam", "duckdb", "curl", "pip", r"\.venv/bin/\w+")
IN_PROSE = re.compile(
    r"\b(aws [a-z0-9-]+ [a-z]+-[a-z-]+|aws cloudformation deploy|aws s3 [a-z]+|"
    r"python (?:-m )?(?:sweep|sandbox|bench|audit|acceptance)[\w.]*|"
    r"(?:chalice|sam) (?:deploy|invoke|local|logs|delete|url|package|generate-sdk)|make [a-z-]+)"
)


@dataclass(frozen=True)
class Command:
    """A command, on one line unless it is a loop, and what the page shows below it."""

    text: str
    place: str
    output: str = ""


@cache
def written() -> list[Command]:
    """Those that stand to be typed: of console blocks, of scripts, and in the comments of templates."""
    found = [command for page in PAGES for command in typed_in(page.read_text(), _name(page))]
    return found + [command for template in TEMPLATES for command in _of_comments(template)]


@cache
def mentioned() -> list[Command]:
    """Those in sentences, between backquotes in the pages: often only the start of one."""
    starts = re.compile(rf"`((?:{'|'.join(PROGRAMS)}) [^`]+)`")
    return [
        Command(_on_one_line(text), _name(page)) for page in PAGES for text in starts.findall(_prose(page.read_text()))
    ]


@cache
def said() -> set[tuple[str, str]]:
    """Those in texts of the code, such as hints and --help, and in sentences of templates: program and subcommand."""
    texts = [(text, _name(path)) for path in CODE for text in _strings(path)]
    texts += [(" ".join(_comments(template)), _name(template)) for template in TEMPLATES]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {
        (command, place)
        for text, place in texts
        for command in IN_PROSE.findall(text)
        if not command.startswith("make ") or command.removeprefix("make ") in targets
    }


def _prose(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL))


def typed_in(text: str, place: str) -> Iterator[Command]:
    """Those of the console blocks and scripts of a page, or of a part of it."""
    for block in re.findall(r"^ *```(?:console|sh|bash|shell)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        if not re.search(r"^ *\$ ", block, re.MULTILINE):
            yield Command(block, place)
            continue
        variables = ""
        for typed in re.split(r"^\$ ", textwrap.dedent(block), flags=re.MULTILINE)[1:]:
            command, output = _complete(typed)
            if re.fullmatch(r"\w+=\S+", command):
                variables += f"{command}\n"
            else:
                yield Command(variables + command, place, output)


def _complete(typed: str) -> tuple[str, str]:
    """The lines that the shell takes for one command, and those after it."""
    lines = typed.splitlines()
    for end in range(1, len(lines) + 1):
        command = "\n".join(lines[:end])
        if not command.endswith("\\") and (not _is_open(command) or end == len(lines)):
            return _on_one_line(command), "\n".join(lines[end:])
    raise AssertionError(typed)


def _is_open(command: str) -> bool:
    if not re.match(r"(for|while|if) ", command):
        return False
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True).returncode != 0


def _of_comments(template: Path) -> Iterator[Command]:
    lines = _comments(template)
    while lines:
        line = lines.pop(0)
        if re.match(rf"  (?:{'|'.join(PROGRAMS)}) ", line):
            while line.endswith("\\"):
                line += "\n" + lines.pop(0)
            yield Command(_on_one_line(line), _name(template))


def _comments(template: Path) -> list[str]:
    return [line[1:].removeprefix(" ") for line in template.read_text().splitlines() if line.startswith("#")]


def _strings(path: Path) -> Iterator[str]:
    """Of adjacent texts and what is filled in between them, one."""
    tree = ast.parse(path.read_text())
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def _on_one_line(command: str) -> str:
    """Without the backslashes, and without a comment."""
    return re.sub(r" +# .*$", "", re.sub(r"\s*\\\n\s*", " ", command)).strip()


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
