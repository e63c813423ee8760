# SPDX-License-Identifier: MIT
"""Tables: for a terminal by rich, and in Markdown."""

import io

from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# A line of dashes under the headings, and nothing else: it can be copied anywhere.
_DASHES = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def console(colour, width, stream=None):
    """A console that shows texts as they are: no markup, no guesses at what is a number."""
    return Console(file=stream or io.StringIO(), force_terminal=colour, color_system="standard" if colour else None, width=width,
                   no_color=not colour, highlight=False, markup=False, emoji=False, legacy_windows=False)


def table(headings, left=1, **options):
    """A table with these headings, the first `left` columns flush left."""
    made = Table(box=_DASHES, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", **options)
    for number, heading in enumerate(headings):
        made.add_column(Text(heading), justify="left" if number < left else "right", vertical="bottom" if heading else "top")
    return made


def plain(headings, rows, left=1):
    """The same as text, as wide as it is."""
    made = table(headings, left)
    for row in rows:
        made.add_row(*map(Text, row))
    shown = console(False, 1000)
    shown.print(made)
    return "\n".join(line.rstrip() for line in shown.file.getvalue().rstrip().splitlines())


def markdown(headings, rows, left=1):
    """A table in Markdown, the first `left` columns flush left."""
    rule = [":--" if i < left else "--:" for i in range(len(headings))]
    lines = [headings, rule, *rows]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in row) + " |" for row in lines)
