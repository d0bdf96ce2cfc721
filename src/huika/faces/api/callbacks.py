"""Callbacks of other companies, outside the API: their own formats, verified on the raw bytes."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from huika.domain.settlement import actions as settlement
from huika.kit import problems
from huika.kit.ports import provider
from huika.kit.refusals import Refusal


@csrf_exempt
@require_POST
def wallet(request: HttpRequest) -> HttpResponse:
    """A wallet's word about a payout: verified, matched to our row, then the wallet is asked. Never final itself."""
    rail = provider("rail.wallet")
    try:
        settlement.callback_received(rail.callback(request.headers, request.body), rail.merchant)
    except Refusal as refusal:
        return HttpResponse(problems.body(refusal), status=refusal.status, content_type=problems.MEDIA_TYPE)
    return HttpResponse(status=204)
