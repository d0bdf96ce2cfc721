"""The public log's files, as C2SP tlog-tiles names them."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huika.domain.evidence import queries as evidence
from huika.kit.refusals import NotFound


@require_safe
def log_file(request: HttpRequest, path: str) -> HttpResponse | FileResponse:
    """Serve the checkpoint, a tile or an entry bundle."""
    try:
        place = evidence.log_file(path)
    except NotFound:
        return HttpResponse(status=404)
    text = path == "checkpoint"
    response = FileResponse(
        place.open("rb"), content_type="text/plain; charset=utf-8" if text else "application/octet-stream"
    )
    response["Cache-Control"] = "no-cache" if text else "public, max-age=31536000, immutable"
    return response
