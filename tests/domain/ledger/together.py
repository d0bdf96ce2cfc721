"""Calls made at the same moment, each in a thread with a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, connections


def together(calls: Sequence[Callable[[], Any]], seconds: float = 60) -> list[Any]:
    """What each call returned or raised, in order; they start together. A call that hangs fails the test."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(n: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            results[n] = call()
        except Exception as error:
            results[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n, call), daemon=True) for n, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), "a call hangs"
    return results


def refused(results: Sequence[Any]) -> list[BaseException]:
    """The results that are exceptions."""
    return [r for r in results if isinstance(r, BaseException)]
