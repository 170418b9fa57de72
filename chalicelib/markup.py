"""HTML that is escaped unless somebody says otherwise: what is no `Markup` is text.

Not Jinja2: MarkupSafe, which it stands on, is a C extension, and the layer is to run on any laptop (the sandbox runs
the very zip that goes to Lambda); and importing it with one template costs 30 to 60 ms of CPU on top of the 270 of the
app's whole cold start, where this costs less than can be measured. What a template language would give is autoescape,
and that is the dozen lines of `element`.
"""

from __future__ import annotations

import html
import re


class Markup(str):
    """Text that is HTML already. Made by `element` and `join`; by hand only of constants."""

    __slots__ = ()


Content = str | int | float | None
"""What an element holds: Markup as it is, anything else escaped, None as nothing."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and newline
    "\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # without width, or turning the direction
    "\ud800-\udfff"  # halves of a character, which UTF-8 cannot hold
    "\U000e0000-\U000e007f]"
)
_VOID = frozenset({"meta", "link", "input"})


def text(value: str) -> Markup:
    """Escape a text, and make seen what would not be: a name that reads backwards passes for another one."""
    return Markup(html.escape(_UNSEEN.sub(_seen, value)))


def element(tag: str, *content: Content, **attributes: str | int | bool | None) -> Markup:
    """Make an element.

    Args:
        tag: a constant of the caller's, as the names of the attributes are.
        content: put one after the other.
        attributes: values are escaped; `True` is an attribute without a value, `False` and `None` are none. A trailing
            underscore is dropped and others become dashes: `class_`, `aria_label`.
    """
    inside = join(*content)
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    return Markup(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{inside}</{tag}>")


def join(*content: Content) -> Markup:
    """Put contents one after the other."""
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


def _seen(found: re.Match[str]) -> str:
    return f"[U+{ord(found[0]):04X}]"
