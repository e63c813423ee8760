# SPDX-License-Identifier: MIT
"""The language of --require: one condition on medians, such as

    event.rps >= 0.9 * thread.rps @ 1024
    hybrid.p99_us < 0.1 * event.p99_us in blocked-loop

    condition = sum ( ">=" | "<=" | ">" | "<" ) sum { "in" experiment | "@" point }
    sum       = product { ( "+" | "-" ) product }
    product   = factor { ( "*" | "/" ) factor }
    factor    = number | figure | "(" sum ")" | "-" factor
    figure    = subject "." name               letters, digits, _ and in a subject - ; any other subject in "quotes"
    point     = number | "min" | "max"         of what the experiment varies

The conditions of a claim (claims.py) are of the same language, with two additions: `@ point` may stand behind each
figure, and holds for the figures before it that have none; cpus, x, DIFFERENT and SAME are numbers with a name.
"""

import itertools
import operator
import re
from dataclasses import dataclass, replace

from ..text.errors import UsageError

_TOKEN = re.compile(r"""\s*(?:
    (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<figure>(?:"[^"]+"|[A-Za-z_][\w-]*)\.[A-Za-z_]\w*)
  | (?P<word>"[^"]+"|[A-Za-z_][\w-]*)
  | (?P<sign>>=|<=|[><+*/()@-])
)""", re.VERBOSE)
_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_DEEPEST = 50  # brackets
_LONGEST = 600  # tokens; every second one may be a level of what is read
NAMES = ("cpus", "x", "DIFFERENT", "SAME")  # of numbers in a claim's condition


def compare(sign, left, right):
    """Whether `left sign right`, one of >= <= > <."""
    return _COMPARE[sign](left, right)


@dataclass(frozen=True)
class Number:
    value: float

    def of(self, read):  # pylint: disable=unused-argument
        return self.value

    def figures(self):
        return ()

    def shown(self, read, top=False):  # pylint: disable=unused-argument
        return f"{self.value:g}"


@dataclass(frozen=True)
class Named:
    """A number with a name; `read` gives its value."""

    name: str

    def of(self, read):
        return read(self)

    def figures(self):
        return ()

    def shown(self, read, top=False):  # pylint: disable=unused-argument
        return f"{read(self):g}"


@dataclass(frozen=True)
class FigureOf:
    """A subject's figure; `read` gives its value."""

    subject: str
    name: str
    point: float | str | None = None  # of a claim: where it is read

    def of(self, read):
        return read(self)

    def figures(self):
        return (self,)

    def shown(self, read, top=False):  # pylint: disable=unused-argument
        return f"{read(self):,.6g}"

    def __str__(self):
        return f"{self.subject}.{self.name}"


@dataclass(frozen=True)
class Operation:
    sign: str
    left: object
    right: object

    def of(self, read):
        return _ARITHMETIC[self.sign](self.left.of(read), self.right.of(read))

    def figures(self):
        return (*self.left.figures(), *self.right.figures())

    def shown(self, read, top=True):
        """With its figures' values in their places, and at the top its own value."""
        text = f"{self.left.shown(read, False)} {self.sign} {self.right.shown(read, False)}"
        return f"{text} = {self.of(read):,.6g}" if top else f"({text})"


@dataclass(frozen=True)
class Condition:
    text: str
    left: object
    sign: str
    right: object
    experiment: str | None
    point: float | str | None  # a number, "min", "max", or None: every point

    @property
    def figures(self):
        return tuple(dict.fromkeys((*self.left.figures(), *self.right.figures())))

    def holds(self, read):
        return _COMPARE[self.sign](self.left.of(read), self.right.of(read))

    def shown(self, read):
        return f"{self.left.shown(read, True)} against {self.right.shown(read, True)}"


class _Parser:
    """Of --require, or of a claim."""

    def __init__(self, text, of_claim=False):
        self._text = text
        self._of_claim = of_claim
        self._source = "condition" if of_claim else "--require"
        self._tokens = list(itertools.islice(self._split(), _LONGEST + 1))
        self._depth = 0
        if len(self._tokens) > _LONGEST:
            raise UsageError(f"{self._source}: {text[:40]!r}…: too long")

    def _refuse(self, why):
        raise UsageError(f"{self._source}: {self._text!r}: {why}")

    def _split(self):
        position = 0
        while position < len(self._text.rstrip()):
            found = _TOKEN.match(self._text, position)
            if not found:
                self._refuse(f"cannot read {self._text[position:].strip()[:20]!r}")
            position = found.end()
            yield found.lastgroup, found[found.lastgroup]

    def _next_is(self, *signs):
        return bool(self._tokens) and self._tokens[0][0] == "sign" and self._tokens[0][1] in signs

    def _take(self, expected):
        if not self._tokens:
            self._refuse(f"it ends where {expected} should be")
        return self._tokens.pop(0)

    def _binary(self, part, *signs):
        left = part()
        while self._next_is(*signs):
            left = Operation(self._tokens.pop(0)[1], left, part())
        return left

    def _sum(self):
        return self._binary(self._product, "+", "-")

    def _product(self):
        return self._binary(self._factor, "*", "/")

    def _factor(self):
        expected = "a number or SUBJECT.FIGURE"
        kind, token = self._take(expected)
        if kind == "number":
            return Number(float(token))
        if kind == "figure":
            subject, _, name = token.rpartition(".")
            return FigureOf(subject.strip('"'), name, self._own_point())
        if kind == "word" and self._of_claim and token in NAMES:
            return Named(token)
        if kind == "sign" and token in "-(":
            return self._nested(token)
        return self._refuse(f"{token!r} where {expected} should be")

    def _own_point(self):
        """The point behind a figure of a claim."""
        if not self._of_claim or not self._next_is("@"):
            return None
        self._tokens.pop(0)
        return self._point()

    def _nested(self, sign):
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse("too deep")
        if sign == "-":
            inner = Operation("-", Number(0), self._factor())
        else:
            inner = self._sum()
            if self._take("')'") != ("sign", ")"):
                self._refuse("a bracket is not closed")
        self._depth -= 1
        return inner

    def _where(self):
        """What stands after the comparison: (experiment, point)."""
        experiment = point = None
        while self._tokens:
            token = self._tokens.pop(0)
            if token == ("word", "in") and experiment is None:
                kind, name = self._take("the name of an experiment")
                if kind != "word":
                    self._refuse(f"{name!r} where the name of an experiment should be")
                experiment = name.strip('"')
            elif token == ("sign", "@") and point is None:
                point = self._point()
            else:
                self._refuse(f"{token[1]!r} where the end, 'in EXPERIMENT' or '@ POINT' should be")
        return experiment, point

    def _point(self):
        kind, token = self._take("a point")
        if kind == "number":
            return float(token)
        if token not in ("min", "max"):
            self._refuse(f"{token!r} where a number, min or max should be")
        return token

    def condition(self):
        left = self._sum()
        sign = self._take("one of >= <= > <")[1]
        if sign not in _COMPARE:
            self._refuse(f"{sign!r} where one of >= <= > < should be")
        right = self._sum()
        found = Condition(self._text.strip(), left, sign, right, *self._where())
        if not found.figures:
            self._refuse("there is no SUBJECT.FIGURE in it")
        return found

    def expression(self):
        found = self._sum()
        if self._tokens:
            self._refuse(f"{self._tokens[0][1]!r} where the end should be")
        return found


def parse(text):
    """The condition, or UsageError with one line that says where it is malformed."""
    return _Parser(text).condition()


def _with_points(node, point=None):
    """(the expression with a point for every figure that stands before one with a point, the point that its first figure has)."""
    if isinstance(node, Operation):
        right, point = _with_points(node.right, point)
        left, point = _with_points(node.left, point)
        return Operation(node.sign, left, right), point
    if isinstance(node, FigureOf):
        return replace(node, point=point if node.point is None else node.point), point if node.point is None else node.point
    return node, point


def parse_claim(text):
    """The same for a condition of a claim."""
    found = _Parser(text, of_claim=True).condition()
    return replace(found, left=_with_points(found.left)[0])


def parse_expression(text):
    """One side of a claim's condition: what a sentence fills in."""
    return _with_points(_Parser(text, of_claim=True).expression())[0]
