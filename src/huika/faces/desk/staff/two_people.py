"""What needs two people: letting a colleague in again, and every other approval, signed with a passkey."""

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.faces.desk.staff import ceremony, places, shown
from huika.faces.pages import forms, rails, words
from huika.kit import approvals
from huika.kit.refusals import Refusal


@require_safe
@shown.staff(Role.DESK)
def colleagues(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Everybody with a login; each can be let in again by two others."""
    return _colleagues_page(request, actor)


def _colleagues_page(request: HttpRequest, actor: Actor, refusal: Refusal | None = None) -> HttpResponse:
    rows = [{"login": s, "role": shown.role_name(s.role), "me": s.party == actor.party} for s in people.all_staff()]
    status = refusal.status if refusal else 200
    return shown.show(request, actor, "colleagues", status, refusal=refusal, rows=rows)


@require_POST
@shown.staff(Role.DESK)
def recover(request: HttpRequest, actor: Actor, user: UUID) -> HttpResponse:
    """Ask that a colleague may enrol a passkey anew."""
    try:
        asked = forms.once(request, actor, lambda: parties.ask_recovery(actor, user))
    except Refusal as refusal:
        return _colleagues_page(request, actor, refusal)
    return HttpResponseRedirect(f"/staff/approvals/{asked}")


@require_safe
@shown.staff(Role.DESK)
def waiting(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a second person, and what was decided lately."""
    open_ones, decided = approvals.open_ones(), approvals.lately_decided()
    names = people.staff_names(p for a in (*open_ones, *decided) for p in (a.asked_by, a.decided_by) if p)
    return shown.show(
        request,
        actor,
        "approvals",
        waiting=[_row(a, names, actor) for a in open_ones],
        decided=[_row(a, names, actor) for a in decided],
    )


def in_words(one: approvals.Asked) -> approvals.Asked:
    """An approval with what payouts are stopped for said in words; its facts themselves stay as they are signed."""
    of = approvals.WORDS.get(one.kind)
    names = {pair: name for name, pair in of.facts.items()} if of else {}
    facts = {names.get((zh, en), en): value for zh, en, value in one.facts}
    if of is None or facts.get("scope") not in rails.SCOPES:
        return one
    said_zh, said_en = rails.SCOPES[facts["scope"]]
    shown = words.pick(said_zh, said_en)
    return replace(
        one,
        zh=of.zh.format_map({**facts, "scope": said_zh}),
        en=of.en.format_map({**facts, "scope": said_en}),
        facts=tuple((zh, en, shown if names.get((zh, en)) == "scope" else value) for zh, en, value in one.facts),
    )


def _row(one: approvals.Asked, names: dict[UUID, str], actor: Actor) -> dict[str, object]:
    return {
        "it": in_words(one),
        "asker": names.get(one.asked_by, "—"),
        "decider": names.get(one.decided_by, "—") if one.decided_by else "",
        "mine": one.asked_by == actor.party,
        "about_me": one.concerns == actor.party,
    }


@require_http_methods(["GET", "POST"])
@shown.staff(Role.DESK)
def one(request: HttpRequest, actor: Actor, approval: UUID) -> HttpResponse:
    """One approval with its facts; a passkey's signature approves exactly these."""
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            _decide(request, actor, approval)
        except Refusal as refused:
            refusal = refused
        else:
            return HttpResponseRedirect(request.path)
    it = approvals.asked(approval)
    names = people.staff_names(p for p in (it.asked_by, it.decided_by) if p)
    row = _row(it, names, actor)
    may = it.open and not row["mine"] and not row["about_me"]
    found = people.enrolment_link(approval, actor.party)
    link = f"{places.origin(request)}/staff/link/{found[0]}" if found else ""
    response = shown.show(
        request,
        actor,
        "approval",
        refusal.status if refusal else 200,
        refusal=refusal,
        **row,
        may=may,
        options=ceremony.to_approve(request.user, approval) if may else "",  # type: ignore[arg-type]
        link=link,
        qr=shown.qr(link) if link else None,
        until=found[1] if found else None,
    )
    if link:
        response.headers["Cache-Control"] = "no-store"
    return response


def _decide(request: HttpRequest, actor: Actor, approval: UUID) -> None:
    if request.POST.get("refuse"):
        forms.once(request, actor, lambda: parties.refuse_approval(actor, approval))
        return
    answer = ceremony.answered(request)
    user, here = shown.user_id(request), places.origin(request)
    forms.once(request, actor, lambda: parties.approve(user, approval, answer, places.rp_id(), here))
