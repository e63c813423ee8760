# SPDX-License-Identifier: MIT
"""What the page's charts are drawn from: the figures of an experiment by subject, and how each subject looks."""

from . import view

# The number of each subject's colour and shape (style.css, charts.js). A ceiling has that of its model, dashed.
_STYLES = {"event": 1, "thread": 2, "hybrid": 3, "pool": 4, "process": 5}
_MODELS = {"epoll": 1, "event": 1, "thread": 2, "process": 5}  # parts of a ceiling's name
_OTHERS = (6, 7, 8)


def styles(subjects):
    """A style for each subject; `subjects`: names to kinds. Beyond three other servers they repeat."""
    chosen, others = {}, 0
    for name, kind in subjects.items():
        model = next((style for word, style in _MODELS.items() if word in name), None) if kind == "ceiling" else None
        if kind == "mode" and name in _STYLES:
            chosen[name] = _STYLES[name]
        elif model:
            chosen[name] = model
        else:
            chosen[name] = _OTHERS[others % len(_OTHERS)]
            others += 1
    return chosen


def _hover(row, figure):
    ratio = view.ratio_text(row, figure)
    notes = [view.MARKS[mark][1].partition(":")[0] for mark in row.marks if mark in view.MARKS]
    value = " ".join(filter(None, (view.cell(row, figure), view.spread_text(row, figure))))
    return ", ".join(filter(None, [value, ratio and f"{ratio} × ceiling", *notes]))


def _short(row, figure):
    return " ".join(filter(None, (view.cell(row, figure), view.spread_text(row, figure), row.symbols())))


def _point(row, figures):
    if row.failure:
        return {"x": row.x, "failure": row.failure}
    samples = {}
    for figure in figures:
        if sample := row.figures.get(figure.name):
            middle = sample["median"]
            low, high = (sample[end] if view.is_number(sample.get(end)) else middle for end in ("low", "high"))
            samples[figure.name] = {"median": middle, "low": low, "high": high, "text": _short(row, figure),
                                    "hover": _hover(row, figure)}
    return {"x": row.x, "figures": samples}


def experiment(shown):
    """The data of one experiment's chart."""
    chosen = styles(shown.subjects)
    xs = list(dict.fromkeys(row.x for row in shown.rows))
    axis = shown.axis
    return {
        "name": shown.name,
        "chart": shown.chart_type,
        "figure": shown.charted.name if shown.charted else None,
        "figures": [{"name": figure.name, "title": figure.title, "unit": figure.unit, "better": figure.better,
                     "log": figure.log} for figure in shown.figures],
        "x": axis and {"title": axis.title, "log": axis.log, "plural": "" if axis.unit else axis.title},
        "xs": xs,
        "x_texts": [axis.shown(x) if axis else "" for x in xs],
        "series": [{"subject": name, "kind": kind, "style": chosen[name],
                    "points": [_point(row, shown.figures) for row in shown.rows if row.subject == name]}
                   for name, kind in shown.subjects.items()],
    }
