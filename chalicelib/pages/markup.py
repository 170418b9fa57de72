"""Minimal HTML builder; every value that is not Markup is escaped.

Not Jinja2: with one template it would cost 34 ms of import, of the 270 of a cold start, and two more packages in the
layer for every function, where the page is one route's.
"""

from __future__ import annotations

import html
import re


class Markup(str):
    """Text that is HTML already. `element` and `join` make it; by hand only from constants."""

    __slots__ = ()


Content = str | int | float | None
"""Markup as it is, anything else escaped; None is left out."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and newline
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # Unicode's format characters
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff"  # and ignorable ones
    "\u2800\u00a0\u1680\u2000-\u200a\u202f\u205f"  # blanks, but for the space and that of Chinese and Japanese
    "\ud800-\udfff]"  # halves of a character, which UTF-8 cannot hold
)
_VOID = frozenset({"meta", "link", "input"})


def text(value: str) -> Markup:
    """Escape a text, and make invisible characters visible: a name that reads backwards passes for another one."""
    return Markup(html.escape(_INVISIBLE.sub(_visible, value)))


def element(tag: str, *content: Content, **attributes: str | int | bool | None) -> Markup:
    """One element.

    Args:
        tag: a constant of the caller's, like the names of the attributes.
        content: in order.
        attributes: values are escaped; `True` is an attribute without a value, `False` and `None` leave it out. A
            trailing underscore is dropped and others become dashes: `class_`, `aria_label`.
    """
    inside = join(*content)
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    return Markup(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{inside}</{tag}>")


def join(*content: Content) -> Markup:
    """The contents in order."""
    return Markup("".join(_content(part) for part in content))


def _content(part: Content) -> str:
    if part is None:
        return ""
    return part if isinstance(part, Markup) else text(str(part))


def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'


def _visible(found: re.Match[str]) -> str:
    return f"[U+{ord(found[0]):04X}]"
