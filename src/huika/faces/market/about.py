"""What runs here, and where."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.evidence import queries as evidence


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Addresses, mode, the interface for programs."""
    values = {
        "site": settings.SITE_URL,
        "vault": settings.VAULT_ORIGIN,
        "sandbox": settings.SANDBOX_URL,
        "log_origin": settings.LOG_ORIGIN,
        "kinds": len(catalog.kinds()),
        "cities": catalog.cities(),
        "log_size": evidence.log_size(),
        "log_key": evidence.log_key(),
        "here": "about",
    }
    return render(request, "market/about.html", values)
