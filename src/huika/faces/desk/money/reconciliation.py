"""Reconciliation: which days were compared with the custodian's statement, what differs, and what it was."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.domain.settlement.types import DifferenceRef
from huika.faces.desk.money import labels
from huika.faces.desk.money.frame import back, day_asked, day_of_books, sentence, show, stamp, typed, uuid_typed
from huika.faces.desk.orders import days
from huika.faces.pages import dates, forms, who, words
from huika.faces.pages.papers import Yuan
from huika.faces.pages.tables import as_csv
from huika.kit.refusals import Refusal


def _row(d: DifferenceRef) -> tuple[DifferenceRef, str, str]:
    return d, labels.word(labels.LINE_KINDS, d.kind), labels.word(labels.MOVEMENTS, d.movement)


def _found(request: HttpRequest) -> list[DifferenceRef]:
    """Of the day that is asked for; without one whatever nobody has explained."""
    found = list(money.differences(day_asked(request) if request.GET.get("day") else None))
    if request.GET.get("day") and not found:
        day_of_books(request)  # a day before there were books has no differences either, and that is not good news
    return found


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "compared": money.reconciliations(),
        "unexplained": len(money.differences()),
        "yesterday": days.named("yesterday"),
        "today": days.today(),
        "typed": typed(request, "difference", "explanation", "day"),
    }
    try:
        found = _found(request)
    except Refusal as wrong:
        refusal, found = refusal or wrong, list(money.differences())
        shown = None
    else:
        shown = days.named(request.GET.get("day", ""))
    return show(request, "reconciliation", refusal, rows=[_row(d) for d in found], shown=shown, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.DESK)
def reconciliation(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Days and differences; a day is compared now, a difference is explained."""
    if request.method != "POST":
        return _page(request)
    try:
        if request.POST.get("do") == "run":
            day = day_asked(request)
            forms.once(request, actor, lambda: settlement.ask_reconcile(day))
            return back("/desk/money/reconciliation", "comparing")
        which = uuid_typed(request.POST.get("difference", ""), "先选一条差异", "choose a difference")
        said = sentence(request, "explanation", 400)
        forms.once(request, actor, lambda: settlement.explain(which, actor.party, said))
    except Refusal as refusal:
        return _page(request, refusal)
    shown = days.named(request.GET.get("day", ""))
    return back("/desk/money/reconciliation", "explained", day=str(shown or ""))


@require_safe
@who.only(Role.DESK)
def differences_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The differences that the same address shows."""
    pairs = (
        ("日期", "Day"), ("差异", "Difference"), ("动作", "Movement"), ("请求号", "Request"), ("我们", "Ours"),
        ("托管方", "Theirs"), ("说明", "Explanation"),
    )  # fmt: skip
    with dates.of_file():
        found = _found(request)
    lines = (
        [d.day, kind, movement, d.request, _sum(d.ours_fen), _sum(d.theirs_fen), d.explanation]
        for d, kind, movement in map(_row, found)
    )
    return as_csv(f"differences-{stamp(days.today())}", [words.pick(*p) for p in pairs], lines)


def _sum(fen: int | None) -> object:
    return "" if fen is None else Yuan(fen)
