"""What we keep of a seller: name checked or not, consents, where paid, devices."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.faces.pages import forms, rails, who
from huika.faces.seller.asked import Unfilled
from huika.kit import clock
from huika.kit.refusals import Refusal


@require_safe
@who.only(Role.SELLER)
def me(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Everything on one page, each with its way out."""
    status = people.seller(actor.party)
    context = {
        "alias": status.alias,
        "verification": people.verification(actor.party),
        "given": [k for k in ("service", "identity", "address", "payee", "statistics") if k in status.consents],
        "payees": people.payees(actor.party),
        "now": clock.now(),
    }
    return render(request, "seller/me.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@who.only(Role.SELLER)
def payees(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Add or change where to be paid: the first one at once, any other by a code and a day's wait."""
    standing = people.payees(actor.party)
    picked = rails.BY_CODE.get(request.POST.get("rail", "") or request.GET.get("rail", ""))
    account, step, refusal = "", "", None
    if request.method == "POST":
        try:
            if picked is None or not picked.online:
                raise Unfilled(why="choose one", why_zh="选一种收款方式")
            account = (request.POST.get("account", "") or request.POST.get(f"account-{picked.code}", ""))[:80]
            account = people.written_account(picked.code, account)
            code = request.POST.get("code", "").strip()[:12]
            if standing and not code:
                forms.once(request, actor, lambda: parties.request_payee_code(actor, picked.code, account))
                step = "code"
            else:
                step = "code" if code else ""
                forms.once(request, actor, lambda: parties.save_payee(actor, picked.code, account, None, code))
                return HttpResponseRedirect("/me/payees")
        except Refusal as refused:
            refusal = refused
    context = {
        "payees": standing,
        "rails": [r for r in rails.RAILS if r.online],
        "picked": picked,
        "account": account,
        "step": step,
        "refusal": refusal,
        "now": clock.now(),
    }
    return render(request, "seller/payees.html", context, status=refusal.status if refusal else 200)


@require_POST
@who.only(Role.SELLER)
def withdraw(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """Take a consent back."""
    kind = request.POST.get("kind", "")[:20]
    forms.once(request, actor, lambda: parties.withdraw_consent(actor.party, kind))
    return HttpResponseRedirect("/me")


@require_POST
@who.only(Role.SELLER)
def sign_out(request: HttpRequest, *, actor: Actor) -> HttpResponse:
    """This device, or every one of them."""
    if request.POST.get("everywhere"):
        parties.sign_out_everywhere(actor.party)
    elif actor.session:
        parties.end_session(actor.session)
    response = HttpResponseRedirect("/")
    response.delete_cookie(settings.SELLER_COOKIE_NAME)
    return response
