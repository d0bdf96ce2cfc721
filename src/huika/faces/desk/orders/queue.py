"""The queue: what waits for a person, one item, claiming it, deciding it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from huika.domain.parties.types import Actor, Role
from huika.faces.desk.orders import cases, detail, waiting
from huika.faces.desk.orders import standing as st
from huika.faces.desk.orders.aside import aside
from huika.faces.desk.orders.kinds import KINDS
from huika.faces.desk.pages import page
from huika.faces.pages import forms, tables, who, words
from huika.kit import clock, work_items
from huika.kit.refusals import Refusal

DECIDED = 200
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Asked:
    """What the address of the queue asks for."""

    kind: str
    done: bool
    mine: bool


def _asked(request: HttpRequest) -> Asked:
    kind = request.GET.get("kind", "")[:60].replace("\x00", "")
    return Asked(kind, request.GET.get("show") == "done", request.GET.get("show") == "mine")


def listed(asked: Asked, me: UUID) -> list[waiting.Waiting]:
    """The items that a page or a download shows, in the order in which they are to be done."""
    if asked.done:
        rows = work_items.decided_items()
        found = waiting.rows((rows.filter(kind=asked.kind) if asked.kind else rows)[:DECIDED], me)
    else:
        found = [w for w in waiting.queue(me) if asked.kind in ("", w.item.kind)]
    return [w for w in found if w.mine] if asked.mine else found


@require_safe
@who.only(Role.DESK)
def queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Everything that waits, or what was decided; inside htmx the strip at the right alone."""
    side = aside(actor, request.GET.get("chosen", "")[:36])
    if request.headers.get("HX-Request") and request.GET.get("part") == "aside":
        return _part(request, side)
    asked = _asked(request)
    rows = listed(asked, actor.party)
    people = {p: st.colleague(p) for w in rows for p in (w.item.claimed_by, w.item.decided_by) if p}
    kinds = sorted({w.item.kind for w in (rows if asked.kind else [*rows, *side["queue"]])} | {asked.kind} - {""})
    context: dict[str, Any] = {
        "rows": [
            (w, people.get((w.item.decided_by if w.item.decided_at else w.item.claimed_by) or NOBODY, "")) for w in rows
        ],
        "asked": asked,
        "kinds": [KINDS[k] for k in kinds if k in KINDS],
        "csv": "/desk/queue.csv" + (f"?{request.GET.urlencode()}" if request.GET else ""),
        "read_at": clock.now(),
    }
    return page(request, "desk/orders/queue.html", **context, **side)


def _part(request: HttpRequest, side: dict[str, Any]) -> HttpResponse:
    """The strip, or 304 when it would look the same."""
    etag = side["etag"]
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "desk/orders/aside.html", side)
    response["ETag"] = etag
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@who.only(Role.DESK)
def queue_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Exactly the items that the same address shows."""
    pairs = (
        ("类别", "Kind"), ("说的是", "What"), ("单号", "Order"), ("第几张", "Card"), ("门口在等", "At a door"),
        ("开始", "Opened"), ("期限", "Due"), ("谁在看", "Taken by"), ("结论", "Decision"), ("理由", "Reason"),
        ("谁定的", "Decided by"), ("定的时间", "Decided at"),
    )  # fmt: skip
    rows = (_line(w) for w in listed(_asked(request), actor.party))
    return tables.as_csv(
        f"queue-{clock.now().astimezone(clock.SHANGHAI):%Y%m%d}", [words.pick(*p) for p in pairs], rows
    )


def _line(w: waiting.Waiting) -> list[object]:
    item = w.item
    return [
        words.said(w.kind),
        words.pick(item.title_zh, item.title_en) + (f" ({w.stops})" if w.stops else ""),
        w.order.code if w.order else "",
        w.card.n if w.card else "",
        words.pick("是", "yes") if w.at_door else "",
        _minute(item.opened_at),
        _minute(item.due_at),
        st.colleague(item.claimed_by) if item.claimed_by else "",
        w.decision,
        w.reason,
        st.colleague(item.decided_by) if item.decided_by else "",
        _minute(item.decided_at) if item.decided_at else "",
    ]


def _minute(at: Any) -> str:
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


@require_safe
@who.only(Role.DESK)
def item(request: HttpRequest, item_id: UUID, actor: Actor) -> HttpResponse:
    """One item with everything that is looked at before deciding."""
    return _item(request, actor, item_id)


def _item(
    request: HttpRequest, actor: Actor, item_id: UUID, refusal: Refusal | None = None, status: int = 200
) -> HttpResponse:
    side = aside(actor, str(item_id))
    (waits,) = waiting.rows([work_items.item(item_id)], actor.party)
    context: dict[str, Any] = {
        "case": cases.case(waits),
        "refusal": refusal,
        "typed": request.POST.get("reason", ""),
        "back_to": "",
    }
    if waits.order is not None:
        context |= detail.of(waits.order)
    return page(request, "desk/orders/item.html", status, **context, **side)


@require_POST
@who.only(Role.DESK)
def claim(request: HttpRequest, item_id: UUID, actor: Actor) -> HttpResponse:
    """I am looking at it; whoever comes second is told so."""
    try:
        forms.once(request, actor, lambda: work_items.claim(item_id, actor.party))
    except Refusal as refusal:
        return _refused(request, actor, item_id, refusal)
    return HttpResponseRedirect(_back(request, item_id))


@require_POST
@who.only(Role.DESK)
def decide(request: HttpRequest, item_id: UUID, actor: Actor) -> HttpResponse:
    """Decide, with a reason: one of the decisions that this kind understands."""
    (waits,) = waiting.rows([work_items.item(item_id)], actor.party)
    word, reason = request.POST.get("decision", ""), request.POST.get("reason", "")
    try:
        if word not in {choice.word for choice in waits.kind.choices}:
            raise NoSuchDecision()
        forms.once(request, actor, lambda: work_items.decide(item_id, actor.party, word, reason))
    except Refusal as refusal:
        return _refused(request, actor, item_id, refusal)
    return HttpResponseRedirect(_back(request, item_id))


class NoSuchDecision(Refusal):
    code, status = "no_such_decision", 422
    zh, en = "先点一个结论，再写理由", "Choose a decision, and give the reason."


def _refused(request: HttpRequest, actor: Actor, item_id: UUID, refusal: Refusal) -> HttpResponse:
    return _item(request, actor, item_id, refusal, refusal.status)


def _back(request: HttpRequest, item_id: UUID) -> str:
    """The order that it was decided on, else the item."""
    asked = request.POST.get("next", "")
    safe = asked.startswith("/desk/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if safe else f"/desk/queue/{item_id}"
