"""The WSGI entry for granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huika.config.settings")
application = get_wsgi_application()

from huika.domain.market import queries as market  # noqa: E402  needs what the line above has set up

market.listen()
