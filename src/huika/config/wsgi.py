"""The WSGI entry for granian."""

import os

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application


def _started() -> WSGIHandler:
    made = get_wsgi_application()
    from huika.domain.market import queries as market  # rows can be named only once Django is set up

    market.listen()
    return made


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huika.config.settings")
application = _started()
