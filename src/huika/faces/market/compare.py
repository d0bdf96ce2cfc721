"""Kinds of platform side by side: what they say, and what was measured here."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.insight import queries as insight
from huika.domain.insight.types import ENOUGH, Estimate, Measured
from huika.faces.market import claims, figures, narrowed
from huika.faces.market.claims import Claimed, Range
from huika.faces.market.figures import minutes, points
from huika.faces.market.narrowed import Narrowed
from huika.faces.market.words import PLATFORM
from huika.faces.pages import tables
from huika.faces.pages.words import pick
from huika.kit.clock import SHANGHAI


@dataclass(frozen=True)
class Row:
    """One kind of platform in the table: every number of the figures."""

    kind: str
    name: str
    claimed: Claimed
    measured: Measured


def ends(found: Range | None, unit: int) -> tuple[str, str] | None:
    """A claim's two ends in a unit of so many; the lower is empty where only an upper bound was named."""
    if found is None:
        return None
    return "" if found.low is None else f"{found.low / unit:g}", f"{found.high / unit:g}"


Figure = tuple[figures.Axis, list[figures.Bar]]
_SHARES, _MINUTES = (1, 2, 5, 10, 20), (1, 2, 5, 10, 15, 30, 60, 120, 240)


def bars(
    rows: list[Row],
    estimates: list[Estimate],
    claimed: list[Range | None],
    unit: float,
    steps: tuple[int, ...],
    say: Callable[[int | None], str],
    empty: int = 20,
) -> Figure:
    """A figure of one measure: `unit` of the stored numbers make one on the axis."""
    values = [v / unit for e in estimates for v in (e.low, e.high) if v is not None]
    values += [v / unit for c in claimed if c for v in (c.low or 0, c.high)]
    if not any(claimed):  # a duration or a rate is read from nothing upwards
        values += [0] if values else [0, empty]
    on = figures.axis(values, steps, most=100 if unit == 100 else None)
    made = []
    for row, found, claim in zip(rows, estimates, claimed, strict=True):
        scaled = [None if v is None else v / unit for v in (found.low, found.high)]
        made.append(
            figures.Bar(
                row.name,
                found.n,
                figures.places(on, claim.low / unit if claim.low is not None else None, claim.high / unit)
                if claim
                else None,
                figures.places(on, *scaled),
                on.at((found.value or 0) / unit) if found.enough else None,
                ends(claim, int(unit)),
                say(found.value) if found.enough else "",
                f"{say(found.low)}–{say(found.high)}" if found.low is not None else "",
            )
        )
    return on, made


def verdict(row: Row) -> str:
    """How the measured share stands to the claimed range, in a sentence."""
    share, claim = row.measured.share, row.claimed.share
    if share.n == 0:
        return pick(f"{row.name}还没有样本。", f"{row.name}: no sample yet.")
    if not share.enough or share.value is None:
        return pick(f"{row.name}样本太少。", f"{row.name}: too few samples.")
    if claim is None or claim.low is None:
        return pick(f"{row.name}没有自称的数可比。", f"{row.name}: no claim to compare with.")
    if share.value < claim.low:
        return pick(f"{row.name}低于自称的下限。", f"{row.name}: below the claimed range.")
    if share.value > claim.high:
        return pick(f"{row.name}高于自称的上限。", f"{row.name}: above the claimed range.")
    half = pick("上半段", "upper half") if 2 * share.value >= claim.low + claim.high else pick("下半段", "lower half")
    return pick(f"{row.name}落在自称范围的{half}。", f"{row.name}: in the {half} of the claimed range.")


def verdicts(rows: list[Row]) -> list[str]:
    """A sentence for each kind, or one for all where none has enough samples."""
    if not any(r.measured.share.enough for r in rows):
        return [pick("三类样本都还太少，先别下结论。", "Too few samples of every kind: no conclusion yet.")]
    return [verdict(r) for r in rows]


def rows_now(asked: Narrowed) -> list[Row]:
    """Every kind of platform with its claims, which nobody made by city or card, and its measures of what was asked."""
    said = catalog.platform_claims()
    found = {m.platform_kind: m for m in insight.measured(asked.city, asked.kind)}
    return [Row(k, pick(*PLATFORM[k]), claims.of_kind(k, said), found[k]) for k in claims.KINDS]


def drawn(rows: list[Row]) -> dict[str, Figure]:
    """The figures of the page: what is measured, and what is only claimed."""
    unknown: list[Range | None] = [None for _ in rows]
    none = [Estimate(0, None, None, None) for _ in rows]
    return {
        "share": bars(rows, [r.measured.share for r in rows], [r.claimed.share for r in rows], 100, _SHARES, points),
        "wait": bars(rows, [r.measured.wait for r in rows], unknown, 60, _MINUTES, minutes, empty=60),
        "requoted": bars(rows, [r.measured.requoted for r in rows], unknown, 100, _SHARES, points),
        "unsold": bars(rows, [r.measured.unsold for r in rows], unknown, 100, _SHARES, points),
        "response": bars(rows, none, [r.claimed.response for r in rows], 1, _MINUTES, minutes, empty=60),
        "complaints": bars(rows, none, [r.claimed.complaints for r in rows], 100, _SHARES, points),
    }


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """The page, of everything or of one city and one kind of card."""
    asked = narrowed.asked(request)
    rows = rows_now(asked)
    said = catalog.platform_claims()
    values = {
        "rows": rows,
        "asked": asked,
        **drawn(rows),
        "visits": len({s.place for s in insight.samples(asked.city, asked.kind)}),
        "verdicts": verdicts(rows),
        "claims": claims.each(said),
        "undated": sum(c.claimed_on is None for c in said),
        "days": insight.DAYS,
        "most": insight.MOST,
        "enough": ENOUGH,
        "at_odds": sum(r.claimed.at_odds for r in rows),
        "said_on": max((r.claimed.newest for r in rows if r.claimed.newest), default=None),
        "here": "compare",
    }
    return render(request, "market/compare.html", values)


@require_safe
def samples_csv(request: HttpRequest) -> HttpResponse:
    """Every sample behind the figures that the address asks for, each with its leaf in the public log.

    No order, party or amount. Asked for one kind of card, a row is what the visit was for that kind alone.
    """
    asked = narrowed.asked(request)
    header = ("kind", "leaf", "day", "city", "cards", "sold", "share_bp", "wait_seconds", "requoted")
    rows = (
        (
            s.platform_kind,
            s.place,
            s.at.astimezone(SHANGHAI).date().isoformat(),
            s.city,
            " ".join(c.kind for c in s.cards),
            int(s.sold),
            s.share_bp,
            s.wait_seconds,
            int(s.requoted),
        )
        for s in insight.samples(asked.city, asked.kind)
    )
    return tables.as_csv("huika-samples", header, rows)
