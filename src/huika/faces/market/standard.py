"""The published standard of a visit: what happens by lock method, what may lower a price, what never happens."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import City
from huika.domain.market import queries as market
from huika.domain.market.types import Fee
from huika.faces.market.words import FEES, amount, most_off, percent, yuan
from huika.faces.pages.words import pick

SELLERS: Final = (
    "registered_face_max_fen",
    "bearer_face_max_fen",
    "warn_day_fen",
    "no_cash_day_fen",
    "review_day_fen",
    "ecny_tier4_payment_fen",
    "ecny_tier4_day_fen",
    "wechat_name_required_fen",
    "trade_records_years",
    "aml_records_years",
)
"""The limits that a seller may meet; the others stand folded below them."""


def fee_words(fee: Fee) -> tuple[str, str]:
    """A fee's name, and how it is reckoned."""
    name = pick(*FEES.get(fee.code, (fee.zh, fee.en)))
    each = [pick(f"每次 {yuan(fee.fixed_fen)}", f"{yuan(fee.fixed_fen)} a visit")] if fee.fixed_fen else []
    share = [pick(f"收价的 {percent(fee.bp)}", f"{percent(fee.bp)} of the price")] if fee.bp else []
    return name, pick("，加 ", " plus ").join(each + share) or pick("不收", "none")


def fees() -> list[tuple[City, list[tuple[str, str]]]]:
    """The platform's named fees, city by city."""
    return [(city, [fee_words(f) for f in market.platform_fees(city.slug)]) for city in catalog.cities()]


def kinds_by_method() -> dict[str, int]:
    """How many kinds change hands by each method; `lock` is bound or redeemed. Refused kinds are not counted."""
    methods = [{k.lock_electronic, k.lock_plastic} for k in catalog.kinds() if k.policy != "refuse"]
    by = {m: sum(m in own for own in methods) for m in ("pin_change", "none", "transfer")}
    return {**by, "lock": sum(bool(own & {"bind", "redeem"}) for own in methods)}


@require_safe
def standard(request: HttpRequest) -> HttpResponse:
    """The page."""
    limits = {x.code: (x, amount(x)) for x in catalog.limits()}
    values = {
        "reasons": [(r, most_off(r)) for r in catalog.reason_codes()],
        "limits": [limits[code] for code in SELLERS if code in limits],
        "other_limits": [pair for code, pair in limits.items() if code not in SELLERS],
        "fees": [pair for pair in fees() if pair[1]],
        "many": kinds_by_method(),
        "here": "standard",
    }
    return render(request, "market/standard.html", values)
