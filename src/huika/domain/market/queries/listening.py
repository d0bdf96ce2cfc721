"""Fetching new books as they are published, in a thread of a process that answers questions.

Whether it runs changes no answer: `memory` looks at the database before each one.
"""

import threading
import time
from typing import Final

import psycopg
import structlog
from django.db import Error, close_old_connections, connection

from huika.domain.market.memory import CHANNEL
from huika.domain.market.queries.books import refresh

RETRY_SECONDS: Final = 5.0
log = structlog.get_logger()


def listen() -> threading.Thread:
    """Begin to listen, for as long as the process lives."""
    thread = threading.Thread(target=_run, name="market.listening", daemon=True)
    thread.start()
    return thread


def _run() -> None:
    while True:
        try:
            _follow()
        except (psycopg.Error, Error, OSError) as error:
            log.warning("market.listening", error=str(error)[:200])
            close_old_connections()
            time.sleep(RETRY_SECONDS)


def _follow(timeout: float | None = None, stop_after: int | None = None) -> None:
    """Bring the arrays up to date now and at each notification."""
    settings = connection.get_connection_params()
    settings.pop("cursor_factory", None)
    settings.pop("context", None)
    with psycopg.connect(**settings, autocommit=True) as conn:
        conn.execute(f"LISTEN {CHANNEL}")
        refresh()
        for _ in conn.notifies(timeout=timeout, stop_after=stop_after):
            close_old_connections()
            refresh()
