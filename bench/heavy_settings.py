"""Settings of the control in bench.pages: the same platform, but every page asks for one more style sheet."""

import os

from huika.config.settings import *  # noqa: F403
from huika.config.settings import MIDDLEWARE

MIDDLEWARE = [*MIDDLEWARE, "bench.heavy_settings.Heavier"]
HEAVY = os.environ["HUIKA_HEAVY"]  # the style sheet's name below /static/


class Heavier:
    """Puts a link to the heavy style sheet at the end of each page's head."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        """Answer, a little longer where it is a page."""
        response = self.get_response(request)
        if "text/html" in response.headers.get("Content-Type", ""):
            link = f'<link rel="stylesheet" href="/static/{HEAVY}"></head>'
            response.content = response.content.replace(b"</head>", link.encode(), 1)
        return response
