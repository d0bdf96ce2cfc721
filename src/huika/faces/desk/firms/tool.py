"""The pricing tool as forms and sentences: its rules and a recycler's stock as typed, and each sum in one line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from huika.domain.market.types import Place, RepricingPolicy, StockReport, Suggestion
from huika.faces.desk.firms import labels, numbers
from huika.faces.desk.firms.numbers import Field
from huika.faces.desk.people.plain import NotYet
from huika.faces.pages import words

MOST_CARDS, MOST_DAYS = 10_000, 1_000
_LONGEST = 40
_NEEDED = object()
PARTS: dict[str, tuple[str, str]] = {
    "resale": ("卖出价", "resale"),
    "margin": ("毛利", "margin"),
    "bad_cards": ("坏卡", "bad cards"),
    "days_in_stock": ("压货", "days in stock"),
    "stock": ("库存", "stock"),
    "rival": ("跟同行", "rival"),
    "an_hour": ("一小时限幅", "one-hour limit"),
}
FLOOR, CEILING = ("提到下限", "up to the floor"), ("压到上限", "down to the ceiling")
FACE, A_DAY = Field("面值的 %", "% of face value"), Field("面值的 %，一天", "% of face value a day")
NOTHING, NO_BOUND = Field("不算", "not counted"), Field("不设", "none")
NO_RIVALS = Field("不看同行", "rivals do not count")


@dataclass(frozen=True)
class Rule:
    """One number of the tool's rules: its column, label, name in a refusal, unit, bounds, and what empty stands for.

    `most` in per cent; `empty` in basis points (None: the rule does not count). A rule without one has to be said.
    """

    name: str
    part: str
    label: Field
    said: Field
    unit: Field
    most: int
    least_bp: int = 0
    empty: object = 0
    none: Field = NOTHING

    @property
    def needed(self) -> bool:
        """Whether it has to be said."""
        return self.empty is _NEEDED

    def bp(self, typed: str) -> int | None:
        """What was typed, in basis points. Raises NotYet."""
        if not typed:
            if self.needed:
                raise NotYet(why_zh=f"{self.said.zh}要填", why_en=f"{self.said.en} is needed")
            return self.empty if isinstance(self.empty, int) else None
        found = numbers.bp(typed, self.said, self.most)
        if found < self.least_bp:
            least = numbers.hundredths_of(self.least_bp)
            raise NotYet(why_zh=f"{self.said.zh}最少 {least}%", why_en=f"{self.said.en} is at least {least}%")
        return found

    def written(self, bp: int | None) -> str:
        """Basis points as the form writes them; what empty means is left empty."""
        return "" if bp is None or bp == self.empty else numbers.hundredths_of(bp)


RULES = (
    Rule("margin", "margin_bp", Field("留多少毛利", "Margin kept"), Field("毛利", "the margin"), FACE, 50, 0, _NEEDED),
    Rule(
        "carry", "carry_bp_day", Field("每压一天少给", "Less for each day in stock"),
        Field("压一天", "a day in stock"), A_DAY, 10,
    ),
    Rule(
        "stock", "stock_bp", Field("库存多少，最多加减", "For stock, more or less by"),
        Field("库存加减", "the part for stock"), FACE, 10,
    ),
    Rule(
        "rival", "beat_rival_bp", Field("最多比同行高", "Above the best rival, at most"),
        Field("比同行高", "the part above the best rival"), FACE, 10, empty=None, none=NO_RIVALS,
    ),
    Rule("floor", "floor_bp", Field("下限", "Floor"), Field("下限", "the floor"), FACE, 120, 1, 1, NO_BOUND),
    Rule(
        "ceiling", "ceiling_bp", Field("上限", "Ceiling"), Field("上限", "the ceiling"), FACE, 120, 1, 12_000, NO_BOUND
    ),
    Rule(
        "step", "most_step_bp", Field("一小时最多动", "In an hour, at most"),
        Field("一小时最多动", "the most in an hour"), FACE, 5, 1, _NEEDED,
    ),
)  # fmt: skip
NEW = {"step": "0.5"}


@dataclass(frozen=True)
class Box:
    """A rule with what is typed in it, and what is wrong with that."""

    rule: Rule
    typed: str
    wrong: NotYet | None = None


def boxes(policy: RepricingPolicy | None) -> list[Box]:
    """The rules as they stand; those of a recycler that never set any are empty but for the usual hour's limit."""
    if policy is None:
        return [Box(rule, NEW.get(rule.name, "")) for rule in RULES]
    return [Box(rule, rule.written(getattr(policy, rule.part))) for rule in RULES]


def rules(form: QueryDict) -> tuple[list[Box], RepricingPolicy | None]:
    """What was typed, each with what is wrong with it; and the rules where nothing is."""
    typed = {rule.name: form.get(rule.name, "").strip()[:_LONGEST] for rule in RULES}
    found: dict[str, Any] = {}
    wrong: dict[str, NotYet] = {}
    for rule in RULES:
        try:
            found[rule.part] = rule.bp(typed[rule.name])
        except NotYet as refusal:
            wrong[rule.name] = refusal
    low, high = found.get("floor_bp"), found.get("ceiling_bp")
    if low is not None and high is not None and low > high:
        wrong["ceiling"] = NotYet(why_zh="上限不能低于下限", why_en="the ceiling may not be below the floor")
    made = [Box(rule, typed[rule.name], wrong.get(rule.name)) for rule in RULES]
    return made, None if wrong else RepricingPolicy(**found)


@dataclass(frozen=True)
class StockBox:
    """One number of a kind's stock, with the head of its column."""

    name: str
    head: Field
    typed: str
    wrong: NotYet | None = None


@dataclass(frozen=True)
class StockRow:
    """A kind's stock as it is typed; `was` is what the page showed, so that what nobody touched is not reported."""

    kind: str
    name: str
    was: str
    boxes: tuple[StockBox, ...]
    reported: bool = False

    @property
    def wrong(self) -> list[NotYet]:
        """Everything that is wrong in the row."""
        return [box.wrong for box in self.boxes if box.wrong]


HELD, TARGET = Field("手里的张数", "cards held"), Field("想要的张数", "cards wanted")
DAYS, BAD = Field("几天卖掉", "the days to resell"), Field("坏卡的比例", "the share of bad cards")
COLUMNS = {
    "held": Field("手里（张）", "Held, cards"),
    "target": Field("想要（张）", "Wanted, cards"),
    "days": Field("几天卖掉", "Days to resell"),
    "bad": Field("坏卡（%）", "Bad (%)"),
}


def stock(names: Mapping[str, str], kinds: Iterable[str], reports: Mapping[str, StockReport]) -> list[StockRow]:
    """What was reported of these kinds; empty where nothing was."""
    rows = []
    for kind in sorted({*kinds, *reports}, key=lambda slug: (names.get(slug, slug), slug)):
        one = reports.get(kind)
        shown = [""] * len(COLUMNS)
        if one is not None:
            shown = [str(one.held), str(one.target), str(one.days_to_resell), numbers.hundredths_of(one.bad_bp)]
        filled = tuple(
            StockBox(f"{name}-{kind}", head, text) for (name, head), text in zip(COLUMNS.items(), shown, strict=True)
        )
        rows.append(StockRow(kind, names.get(kind, kind), "/".join(shown), filled, one is not None))
    return rows


def reports(form: QueryDict, now: Sequence[StockRow]) -> tuple[list[StockRow], list[StockReport]]:
    """What was typed, each with what is wrong with it; and the reports of the rows that were changed."""
    rows, made = [], []
    for row in now:
        typed = [form.get(box.name, "").strip()[:_LONGEST] for box in row.boxes]
        was = form.get(f"was-{row.kind}", row.was)[: 5 * _LONGEST]
        if "/".join(typed) == was:
            rows.append(StockRow(row.kind, row.name, was, _filled(row, typed, {}), row.reported))
            continue
        found, wrong = _read(typed)
        rows.append(StockRow(row.kind, row.name, was, _filled(row, typed, wrong), row.reported))
        made += [] if wrong else [StockReport(row.kind, *found)]
    return rows, made


def _filled(row: StockRow, typed: Sequence[str], wrong: Mapping[int, NotYet]) -> tuple[StockBox, ...]:
    return tuple(StockBox(b.name, b.head, typed[n], wrong.get(n)) for n, b in enumerate(row.boxes))


def _read(typed: Sequence[str]) -> tuple[list[int], dict[int, NotYet]]:
    """Held, wanted, days, bad cards in basis points; an empty field is nothing."""
    found, wrong = [0] * len(COLUMNS), {}
    for n, (text, field, most) in enumerate(
        zip(typed, (HELD, TARGET, DAYS, BAD), (MOST_CARDS, MOST_CARDS, MOST_DAYS, 100), strict=True)
    ):
        try:
            if text:
                found[n] = numbers.bp(text, field, most) if field is BAD else numbers.count(text, field, most)
        except NotYet as refusal:
            wrong[n] = refusal
    return found, wrong


@dataclass(frozen=True)
class Cell:
    """A cell of the book in words, with its ratio before and after, and how the new one comes about."""

    kind: str
    face_fen: int | None
    where: str
    it: Suggestion
    sum: str

    @property
    def by_points(self) -> str:
        """The difference in hundredths of face value, with its sign; empty where there is none."""
        by = self.it.suggested_bp - self.it.ratio_bp
        return f"{'−' if by < 0 else '+'}{abs(by) / 100:.2f}" if by else ""


def cells(found: Iterable[Suggestion], most: int | None = None) -> list[Cell]:
    """The cells that move most first, at most so many of them."""
    kinds, cities = labels.kind_names(), labels.city_names()
    ordered = sorted(found, key=lambda s: -abs(s.suggested_bp - s.ratio_bp))[:most]
    return [
        Cell(kinds.get(s.place.kind, s.place.kind), s.place.face_value_fen, _where(s.place, cities), s, said(s.parts))
        for s in ordered
    ]


def _where(place: Place, cities: Mapping[str, str]) -> str:
    return " · ".join(
        (
            cities.get(place.city, place.city),
            labels.word(labels.FORMS, place.form),
            labels.word(labels.CONDITIONS, place.condition),
            labels.word(labels.CHANNELS, place.channel),
        )
    )


def said(parts: Sequence[tuple[str, int]]) -> str:
    """The parts of a ratio in per cent of face value, and what they come to: 卖出价 96 − 毛利 2 = 94%."""
    line = ""
    for name, bp in parts:
        word = (FLOOR if bp > 0 else CEILING) if name == "bounds" else PARTS.get(name, (name, name))
        sign = ("− " if bp < 0 else "+ ") if line else ("−" if bp < 0 else "")
        line += f"{' ' if line else ''}{sign}{words.pick(*word)} {numbers.hundredths_of(abs(bp))}"
    return f"{line} = {numbers.hundredths_of(sum(bp for _, bp in parts))}%"
