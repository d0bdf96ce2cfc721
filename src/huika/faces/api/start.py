"""The start page: what runs where."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from huika.domain.catalog import queries as catalog
from huika.domain.evidence import queries as evidence


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Addresses of this installation, in Chinese and English."""
    page = render_to_string(
        "huika/start.html",
        {
            "mode": settings.MODE,
            "setting": settings.SETTING,
            "vault": settings.VAULT_URL,
            "sandbox": settings.SANDBOX_URL,
            "kinds": len(catalog.kinds()),
            "log_size": evidence.log_size(),
            "log_key": evidence.log_key(),
        },
    )
    response = HttpResponse(page)
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'"
    return response


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """The start page's style sheet."""
    return HttpResponse(render_to_string("huika/start.css"), content_type="text/css; charset=utf-8")
