"""`{% load hk %}`: words in two languages, money, times, icons."""

import json
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from huika.faces.pages import forms, rails, words
from huika.kit import clock

register = template.Library()
WEEKDAYS = ("周一 Mon", "周二 Tue", "周三 Wed", "周四 Thu", "周五 Fri", "周六 Sat", "周日 Sun")


@register.simple_tag
def t(zh: str, en: str, **values: Any) -> SafeString:
    """A sentence in the page's language; `{name}` is filled in, escaped. Both languages are required."""
    sentence = conditional_escape(words.pick(zh, en))  # what a template writes itself is safe already, a variable not
    return format_html(sentence, **values) if values else sentence


@register.filter
def name(thing: Any) -> str:
    """Name of a kind, city, recycler in the page's language."""
    return words.name_of(thing)


@register.filter
def said(thing: Any) -> str:
    """`zh` or `en` of a step, notice, reason."""
    return words.said(thing)


@register.simple_tag
def lang() -> str:
    """`zh` or `en`."""
    return words.language()


def _grouped(fen: int) -> tuple[str, str, str]:
    yuan, cents = divmod(abs(fen), 100)
    return ("−" if fen < 0 else "", f"{yuan:,}", f"{cents:02d}")


@register.simple_tag
def money(fen: int, size: str = "") -> SafeString:
    """¥1,234.00 of fen; `size` is "hero" or "fig" for the large figure, where sign and fen stay small."""
    sign, yuan, cents = _grouped(int(fen))
    if words.in_care.get() and words.language() == "zh":
        large = f" hk-money_{size}" if size else ""
        return format_html('<span class="hk-money{}">{}{}<small>.{} 元</small></span>', large, sign, yuan, cents)
    if not size:
        return format_html('<span class="hk-money">{}¥{}.{}</span>', sign, yuan, cents)
    return format_html(
        '<span class="hk-money hk-money_{}"><small>{}¥</small>{}<small>.{}</small></span>', size, sign, yuan, cents
    )


@register.simple_tag
def face(fen: int) -> str:
    """¥5,000 of a face value in fen; fen only where there are some."""
    sign, yuan, cents = _grouped(int(fen))
    return f"{sign}¥{yuan}" + (f".{cents}" if cents != "00" else "")


@register.filter
def yuan(fen: int) -> str:
    """4,680 or 4,680.50 without a sign, for sentences."""
    sign, whole, cents = _grouped(int(fen))
    return sign + whole + (f".{cents}" if cents != "00" else "")


@register.filter
def zhe(bp: int) -> str:
    """9360 bp as 「9.36 折」, in English as 93.6 %."""
    if words.language() == "en":
        return f"{bp / 100:g}%"
    return f"{bp / 1000:g} 折"


@register.filter
def hm(at: datetime | None) -> str:
    """14:30 in Shanghai."""
    return at.astimezone(clock.SHANGHAI).strftime("%H:%M") if at else ""


@register.filter
def day(at: datetime | date | None) -> str:
    """今天, 明天 or 5 月 21 日, in Shanghai."""
    if at is None:
        return ""
    when = at.astimezone(clock.SHANGHAI).date() if isinstance(at, datetime) else at
    ahead = (when - clock.now().astimezone(clock.SHANGHAI).date()).days
    dated = f"{when:%a} {when.day} {when:%b}"
    near = {0: ("今天", "today"), 1: ("明天", "tomorrow"), 2: ("后天", dated), -1: ("昨天", "yesterday")}
    if ahead in near:
        return words.pick(*near[ahead])
    return words.pick(f"{when.month} 月 {when.day} 日", f"{when.day} {when:%b}")


@register.filter
def weekday(at: datetime | date) -> str:
    """周三 or Wed, in Shanghai."""
    when = at.astimezone(clock.SHANGHAI).date() if isinstance(at, datetime) else at
    zh, en = WEEKDAYS[when.weekday()].split()
    return words.pick(zh, en)


@register.filter
def moment(at: datetime | None) -> str:
    """14:30 today, 「5 月 21 日 14:30」 otherwise."""
    if at is None:
        return ""
    today = clock.now().astimezone(clock.SHANGHAI).date() == at.astimezone(clock.SHANGHAI).date()
    return hm(at) if today else f"{day(at)} {hm(at)}"


@cache
def _icons() -> dict[str, str]:
    found: dict[str, str] = json.loads((Path(__file__).parents[1] / "icons.json").read_text())
    return found


@register.simple_tag
def icon(icon_name: str, classes: str = "", label: str = "") -> SafeString:
    """An inline icon; decoration unless it has a label."""
    named = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="hk-ic {}" viewBox="0 0 24 24" {}>{}</svg>',
        classes,
        named,
        mark_safe(_icons()[icon_name]),  # noqa: S308 our own drawing
    )


@register.simple_tag
def once() -> SafeString:
    """Hidden number of this form: sent twice, it is done once."""
    return format_html('<input type="hidden" name="once" value="{}">', forms.fresh_number())


@register.filter
def spaced(code: str) -> str:
    """A code in groups of two or three digits, as it is said."""
    size = 3 if len(code) % 3 == 0 else 2
    return " ".join(code[i : i + size] for i in range(0, len(code), size))


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The page's own address with these parameters changed; None takes one away."""
    parameters = context["request"].GET.copy()
    for key, value in changes.items():
        parameters.pop(key, None)
        if value is not None:
            parameters[key] = value
    return conditional_escape("?" + parameters.urlencode())


@register.filter
def yuanint(fen: int) -> str:
    """100000 fen as 1000, as a form's value."""
    return str(int(fen) // 100)


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """mapping[key], or nothing."""
    return mapping.get(key, "")


@register.filter(name="json")
def as_json(value: Any) -> str:
    """JSON for a data attribute; the template escapes it."""
    return json.dumps(value, ensure_ascii=False)


@register.simple_tag
def sprite(names: str) -> SafeString:
    """Symbols for scripts that draw icons, `i-NAME` each."""
    symbols = "".join(f'<symbol id="i-{n}" viewBox="0 0 24 24">{_icons()[n]}</symbol>' for n in names.split())
    return mark_safe(f'<svg class="hk-defs" aria-hidden="true">{symbols}</svg>')  # noqa: S308 our own drawings


@register.filter
def upto(n: int) -> range:
    """1 to n."""
    return range(1, int(n) + 1)


@register.filter
def rail(code: str) -> str:
    """微信零钱 or WeChat wallet, of a rail's code."""
    return rails.named(code)


@register.filter
def accept(code: str) -> str:
    """Where a payout that waits for its payee is accepted."""
    return rails.BY_CODE[code].accept


@register.filter
def payout_state(state: str) -> str:
    """What a payout's state is called to its seller."""
    return rails.state_named(state)


@register.filter
def rail_icon(code: str) -> str:
    """The name of a rail's icon."""
    return rails.BY_CODE[code].icon if code in rails.BY_CODE else "coin"


@register.filter
def tail(masked: str) -> str:
    """The last characters of a masked account: •••• 6789."""
    return f"•••• {masked[-4:]}" if len(masked) > 4 else masked


@register.filter
def after(at: datetime, days: int) -> datetime:
    """A moment some days later."""
    return at + timedelta(days=int(days))


@register.filter
def less(fen: int, other: int) -> int:
    """fen − other."""
    return int(fen) - int(other)


@register.filter
def negative(fen: int) -> int:
    """−fen."""
    return -int(fen)


@register.filter
def stamp(at: datetime) -> str:
    """2026-05-21 14:30 in Shanghai: for papers, where 今天 would be wrong tomorrow."""
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"
