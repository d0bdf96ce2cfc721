"""Mutants of `ledger` and `settlement`: one small change each, made from the syntax tree or from the SQL's operators.

Words, types, ports, models and migrations are left alone: what they say is tried by tests of the database itself.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = Path("src/huika/domain")
PYTHON = (
    "ledger/actions.py",
    "ledger/queries.py",
    "settlement/accounts.py",
    "settlement/followers.py",
    "settlement/jobs.py",
    "settlement/machine.py",
    "settlement/rules.py",
    "settlement/actions/*.py",
    "settlement/queries/*.py",
)
SQL = ("ledger/sql/*.sql", "settlement/sql/*.sql")

_COMPARE = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
_ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Mod: "//"}
# In SQL an operator stands between blanks. "= ANY", "ON CONFLICT" and the like are left alone.
_SQL = (
    (re.compile(r" \+ "), " - "),
    (re.compile(r" - (?!-)"), " + "),
    (re.compile(r" <> "), " = "),
    (re.compile(r" <= "), " < "),
    (re.compile(r" > (?!0)"), " >= "),
    (re.compile(r" < "), " <= "),
    (re.compile(r" IS NULL"), " IS NOT NULL"),
    (re.compile(r" IS NOT NULL"), " IS NULL"),
    (re.compile(r" AND "), " OR "),
    (re.compile(r" OR "), " AND "),
    (re.compile(r" FOR UPDATE(?! OF| SKIP)"), ""),
    (re.compile(r" FOR NO KEY UPDATE"), ""),
)


@dataclass(frozen=True)
class Mutant:
    """Replace the characters `start` to before `end` of a file by `new`."""

    file: str
    line: int
    start: int
    end: int
    old: str
    new: str

    @property
    def name(self) -> str:
        """Where it is and what it does, in one line."""
        return f"{self.file.removeprefix('src/huika/domain/')}:{self.line} {self.old!r} → {self.new!r}"

    def applied(self, text: str) -> str:
        """The file with this change."""
        return text[: self.start] + self.new + text[self.end :]


def all_mutants() -> list[Mutant]:
    """Every mutant of every file, in the order of the text."""
    found: list[Mutant] = []
    for pattern in PYTHON:
        for place in sorted((ROOT / DOMAIN).glob(pattern)):
            if place.name != "__init__.py":
                found += _python(str(place.relative_to(ROOT)), place.read_text())
    for pattern in SQL:
        for place in sorted((ROOT / DOMAIN).glob(pattern)):
            found += _sql(str(place.relative_to(ROOT)), place.read_text())
    return found


def _python(file: str, text: str) -> Iterator[Mutant]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    lines = text.split("\n")

    def offset(line: int, column: int) -> int:
        # The tree counts bytes of UTF-8, the text characters.
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)

    def change(node: ast.expr | ast.stmt, start: int, end: int, new: str) -> Mutant:
        return Mutant(file, node.lineno, start, end, text[start:end], new)

    def between(left: ast.expr, right: ast.expr, node: ast.expr, new: str) -> Mutant:
        start, end = span(left)[1], span(right)[0]
        middle = text[start:end]
        word = re.search(r"not in|is not|[^\s()]+", middle)
        assert word is not None
        return change(node, start + word.start(), start + word.end(), new)

    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield between(node.left, node.comparators[0], node, _COMPARE[type(node.ops[0])])
        elif isinstance(node, ast.BoolOp):
            new = "or" if isinstance(node.op, ast.And) else "and"
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield between(left, right, node, new)
        elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC and not _text(node):
            yield between(node.left, node.right, node, _ARITHMETIC[type(node.op)])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
            start, _ = span(node)
            yield change(node, start, span(node.operand)[0], "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int):
            new = str(not node.value) if isinstance(node.value, bool) else str(node.value + 1)
            yield change(node, *span(node), new)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield change(node, *span(node), "pass")
        elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
            yield change(node, *span(node), "return None")
        elif isinstance(node, ast.If):
            yield change(node.test, *span(node.test), f"not ({text[slice(*span(node.test))]})")


def _text(node: ast.BinOp) -> bool:
    """Whether it joins texts or lists of texts: their sum is no money."""
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str)) for s in sides
    )


def _sql(file: str, text: str) -> Iterator[Mutant]:
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        code = line.partition("--")[0]
        if code.strip() and "RAISE" not in code and not code.startswith(("CREATE", "RETURNS", "DROP", "ALTER")):
            for pattern, new in _SQL:
                for found in pattern.finditer(code):
                    yield Mutant(file, number, at + found.start(), at + found.end(), found[0], new)
        at += len(line) + 1
