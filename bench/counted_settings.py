"""Settings of bench.comparing: the same platform; each answer says how many statements it took, and their time."""

import time

from django.db import connection

from huika.config.settings import *  # noqa: F403
from huika.config.settings import MIDDLEWARE

MIDDLEWARE = ["bench.counted_settings.Counted", *MIDDLEWARE]


class Counted:
    """Counts the statements of a request, its transaction's BEGIN and COMMIT left out."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        """Answer with `X-SQL: statements microseconds`."""
        count, spent = 0, 0.0

        def counted(execute, sql, params, many, context):
            nonlocal count, spent
            count, began = count + 1, time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                spent += time.perf_counter() - began

        with connection.execute_wrapper(counted):
            response = self.get_response(request)
        response.headers["X-SQL"] = f"{count} {spent * 1e6:.0f}"
        return response
