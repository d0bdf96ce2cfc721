"""`{% load market %}`: words of the public pages, fingerprints, numbers with commas."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from huika.domain.insight.types import Estimate
from huika.faces.market import words
from huika.faces.market.claims import Range
from huika.faces.market.figures import Axis, minutes, points
from huika.faces.pages.words import pick

register = template.Library()
TABLES = {
    "platform": words.PLATFORM,
    "trust": words.TRUST,
    "scope": words.SCOPE,
    "form": words.FORM,
    "lock": words.LOCK,
}


@register.filter
def of(code: str, table: str) -> str:
    """The words for a code of one of the tables: `{{ kind.trust|of:"trust" }}`."""
    return pick(*TABLES[table][code])


@register.filter
def cited(text: str) -> str:
    """A source, without the addresses of sites of the trade."""
    return words.source(text)


@register.filter
def cited_in(text: str) -> str:
    """The language of `cited`, for the lang attribute."""
    return words.source_language(text)


@register.filter
def counted(n: int) -> str:
    """20,446."""
    return f"{n:,}"


@register.filter
def fingerprint(digest: str) -> str:
    """`3f9c 21ab … 77e0` of 64 hex digits."""
    return f"{digest[:4]} {digest[4:8]} … {digest[-4:]}"


@register.filter
def percent(bp: int | None) -> str:
    """93.6% of 9360."""
    return "" if bp is None else words.percent(bp)


@register.simple_tag
def at(axis: Axis, tick: int) -> str:
    """Where a value stands on an axis, per cent."""
    return axis.at(tick)


@register.simple_tag
def span(found: Range | None, unit: int, word: str) -> str:
    """A claimed range: 85–92, 60–120 分, 低于 0.5%, 当场, or a dash."""
    if found is None:
        return "—"
    said = {"min": pick(" 分", " min")}.get(word, word)
    low, high = None if found.low is None else f"{found.low / unit:g}", f"{found.high / unit:g}"
    if word == "min" and found.high == 0:
        return pick("当场", "at once")
    if low is None:
        return pick(f"低于 {high}{said}", f"under {high}{said}")
    return f"{high}{said}" if low == high else f"{low}–{high}{said}"


@register.simple_tag
def estimate(found: Estimate, what: str) -> SafeString:
    """A measured figure and its interval; too few samples are said, none at all is a dash."""
    if found.n == 0:
        return format_html("{}", "—")
    say = {"wait": minutes, "share": points, "rate": points}[what]
    unit = {"wait": pick(" 分", " min"), "share": "", "rate": "%"}[what]
    between = f"{say(found.low)}–{say(found.high)}" if found.low is not None else ""
    counted_as = "" if found.hits is None else pick(f" · {found.hits}/{found.n} 次", f" · {found.hits}/{found.n}")
    if not found.enough:
        return format_html(
            '<span class="few">{}</span><small>{}{}</small>', pick("样本太少", "Too few"), between, counted_as
        )
    return format_html('<span class="me">{}{}</span><small>{}{}</small>', say(found.value), unit, between, counted_as)
