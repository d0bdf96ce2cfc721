"""What we keep of a seller: name checked or not, consents, where paid, devices."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.faces.pages import forms, who


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
    }
    return render(request, "seller/me.html", context)


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
