# SPDX-License-Identifier: MIT
"""What a results file must look like to be reported or merged (loadtest/README.md, results.json version 3).

Where several programs and machines bring results home, one may be cut, old, or made by hand. What is absent or null is empty
to the reports, so little must be there; but what is there must be of its kind, else the file is refused, with the place.
"""

_LARGEST = 1e20  # no figure of ours; sums and products of such are still numbers
_DEEPEST = 40


class Damaged(Exception):
    """Its text says where, and what should be there."""


def _refuse(where, what):
    raise Damaged(f"{where or 'the whole'} is {what}")


def _text(value, where, _strict):
    if not isinstance(value, str):
        _refuse(where, "no text")


def _number(value, where, _strict):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _refuse(where, "no number")


def _flag(value, where, _strict):
    if not isinstance(value, bool):
        _refuse(where, "neither true nor false")


def _anything(_value, _where, _strict):
    pass


def _list(of, null=False):
    def check(value, where, strict):
        if not isinstance(value, list):
            _refuse(where, "no list")
        for position, part in enumerate(value):
            if part is not None or not null:
                of(part, f"{where}[{position}]", strict)
    return check


def _map(of, null=False):
    """Any names."""
    def check(value, where, strict):
        if not isinstance(value, dict):
            _refuse(where, "no object")
        for name, part in value.items():
            if part is not None or not null:
                of(part, f"{where}.{name[:60]}", strict)
    return check


def _table(needed="", to_merge="", **fields):
    """These names, others are not looked at. `needed`: those that must be there and not null; `to_merge`: so too if the file
    is to be merged, but with a ? they may be null."""
    needed, to_merge = needed.split(), to_merge.split()

    def check(value, where, strict):
        if not isinstance(value, dict):
            _refuse(where, "no object")
        for name in [*needed, *(to_merge if strict else ())]:
            bare = name.rstrip("?")
            if bare not in value or (bare == name and value[bare] is None):
                _refuse(f"{where}.{bare}".lstrip("."), "not there")
        for name, of in fields.items():
            if value.get(name) is not None:
                of(value[name], f"{where}.{name}".lstrip("."), strict)
    return check


def _pair(value, where, strict):
    _list(_number)(value, where, strict)
    if len(value) != 2:
        _refuse(where, "no pair")


_FAILURE = _table("kind reason", kind=_text, reason=_text)
_SAMPLE = _table(median=_number, mad=_number, low=_number, high=_number, values=_list(_number))
_MEASUREMENT = _table(
    "subject", "kind x? round failure? asked_rate? achieved_rate? errors? figures marks details",
    subject=_text, kind=_text, x=_number, round=_number, failure=_FAILURE, asked_rate=_number, achieved_rate=_number, errors=_map(_number), figures=_map(_number),
    histograms=_map(_list(_pair), null=True), marks=_list(_text), details=_map(_anything, null=True))
_ROW = _table("subject", subject=_text, kind=_text, x=_number, failure=_FAILURE, figures=_map(_SAMPLE, null=True),
              to_ceiling=_map(_number, null=True), marks=_list(_text))
_EXPERIMENT = _table(
    "name", "measurements chart about", name=_text, title=_text, about=_text, command=_text,
    skipped=_text, ended=_text, x=_table("name", name=_text, title=_text, unit=_text, log=_flag),
    figures=_list(_table("name", name=_text, title=_text, unit=_text, better=_text, log=_flag, meaning=_text)),
    chart=_table("", "figure", figure=_text, type=_text), measurements=_list(_MEASUREMENT), summary=_list(_ROW),
    limits=_map(_table("connections by", connections=_number, by=_text)), claims=_list(_map(_anything, null=True)))
_CHANGE = _table("experiment subject figure title word worse ratio points example", experiment=_text, subject=_text,
                 figure=_text, title=_text, word=_text, worse=_flag, ratio=_number, points=_text, example=_text)
_RESULTS = _table(
    "", "complete ended started took_s machine pinning parameters experiments", complete=_flag, ended=_text, started=_text,
    took_s=_number, machine=_map(_anything, null=True), machines=_list(_map(_anything, null=True)),
    pinning=_table("", "note", note=_text), parameters=_table("", "arguments", effort=_text), experiments=_list(_EXPERIMENT),
    baseline=_table("changes failures notes unchanged", started=_text, commit=_text, changes=_list(_CHANGE),
                    failures=_list(_text), notes=_list(_text), unchanged=_number))


def _check_values(value, where="", depth=0):
    """No number or text that cannot be written again, wherever it stands."""
    if depth > _DEEPEST:
        _refuse(where[:60] + "…", "nested too deep")
    if isinstance(value, dict):
        for name, part in value.items():
            _check_values(name, f"a name in {where or 'it'}")
            _check_values(part, f"{where}.{name[:60]}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for position, part in enumerate(value):
            _check_values(part, f"{where}[{position}]", depth + 1)
    elif isinstance(value, str):
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            _refuse(where, "no text that can be written")
    elif isinstance(value, (int, float)) and not -_LARGEST <= value <= _LARGEST:
        _refuse(where, "no number that a figure may be")  # NaN too


def check(results, to_merge=False):
    """Damaged if they cannot be reported, or merged with others. Before that they were an object of the right format."""
    _check_values(results)
    _RESULTS(results, "", to_merge)
