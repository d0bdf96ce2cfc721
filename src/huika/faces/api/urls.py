"""URLs of the API, the log and callbacks."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from huika.faces.api import callbacks, log
from huika.faces.api.api import api
from huika.faces.api.document import openapi


def document(request: HttpRequest) -> JsonResponse:
    """OpenAPI with shared problem answers."""
    return JsonResponse(openapi(), json_dumps_params={"ensure_ascii": False})


urlpatterns = [
    path("v1/openapi.json", document),
    path("v1/", api.urls),
    path("callbacks/<str:code>", callbacks.rail),
    path("log/<path:path>", log.log_file),
]
