"""Callbacks of other companies, outside the API: their own formats, verified on the raw bytes."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from huika.domain.settlement import actions as settlement
from huika.domain.settlement.queries import RAILS
from huika.kit import problems
from huika.kit.ports import provider
from huika.kit.refusals import Refusal


@csrf_exempt
@require_POST
def rail(request: HttpRequest, code: str) -> HttpResponse:
    """A rail's word about a payout: verified, matched to our row, then the rail is asked. Never final itself."""
    if code not in RAILS:
        return HttpResponse(status=404)
    port = provider(f"rail.{code}")
    try:
        settlement.callback_received(code, port.callback(request.headers, request.body), port.merchant)
    except Refusal as refusal:
        return HttpResponse(problems.body(refusal), status=refusal.status, content_type=problems.MEDIA_TYPE)
    media_type, body = port.acknowledgement
    return HttpResponse(body, status=200 if body else 204, content_type=media_type)
