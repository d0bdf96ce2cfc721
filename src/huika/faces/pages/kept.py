"""Pictures that people sent, served from an origin of their own by links that die."""

import re

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from huika.domain.evidence import queries as evidence

LINK_SECONDS = 600
_SIGNER = "huika.kept"


def link(clean_sha256: str) -> str:
    """An address for one kept picture, good for ten minutes, for whoever the page was made for."""
    token = signing.TimestampSigner(salt=_SIGNER).sign(clean_sha256)
    return f"{settings.FILES_ORIGIN}/kept/{token}.jpg"


@require_safe
def kept(request: HttpRequest, token: str) -> HttpResponse:
    """One picture. It can run nothing, and the origin has no cookies."""
    try:
        digest = signing.TimestampSigner(salt=_SIGNER).unsign(token, max_age=LINK_SECONDS)
    except signing.BadSignature as error:
        raise Http404 from error
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise Http404
    return HttpResponse(
        evidence.picture_bytes(digest),
        content_type="image/jpeg",
        headers={
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": f"private, max-age={LINK_SECONDS}",
        },
    )


urlpatterns = [path("kept/<str:token>.jpg", kept)]
