# SPDX-License-Identifier: MIT
"""HTML that cannot be broken out of: whatever is not Markup is escaped where it is put in."""

import html
import json


class Markup(str):
    """Text that is HTML already."""


def escaped(value):
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def join(parts, between=""):
    return Markup(between.join(escaped(part) for part in parts if part is not None))


def element(tag, *children, **attributes):
    """<tag attributes>children</tag>. A trailing _ of an attribute's name falls, other _ become -; None leaves it out."""
    texts = [f' {name.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
             for name, value in attributes.items() if value is not None]
    return Markup(f"<{tag}{''.join(texts)}>{join(children)}</{tag}>")


def data(value):
    """A value as JSON that may stand in a script element: nothing in it ends the element or opens a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def script(text):
    """A program that is to stand in a script element as it is. ValueError if it cannot."""
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("a script that ends its own element")
    return Markup(text)
