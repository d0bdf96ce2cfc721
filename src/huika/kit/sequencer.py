"""Gives committed events their place: gapless, cause before effect, each once.

A batch takes what one snapshot sees, in id order. Ids are drawn after the row lock, so whatever caused an event has a
smaller id and was committed before it, hence is in the same snapshot or already placed. A transaction may commit late
with a small id: the low-water mark below which nothing can still come moves only past ids that were drawn before the
sequencer drew an xid of its own, and only once every lower xid has ended (pg_snapshot_xmin).
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from huika.kit import locks

BATCH = 500

_PLACE = """
WITH fresh AS (
    SELECT e.id FROM kit_event e
    WHERE e.id > %s AND NOT EXISTS (SELECT 1 FROM kit_eventplace p WHERE p.event_id = e.id)
    ORDER BY e.id LIMIT %s
), base AS (SELECT coalesce(max(place) + 1, 0) AS next FROM kit_eventplace)
INSERT INTO kit_eventplace (place, event_id)
SELECT base.next + row_number() OVER (ORDER BY fresh.id) - 1, fresh.id FROM fresh, base
"""


def sequence(limit: int = BATCH) -> int:
    """Place up to `limit` committed events; how many were placed. Only one process at a time does it, others get 0.

    Needs a transaction of its own: with an xid drawn earlier, the low-water mark would pass events that may still come.
    """
    with transaction.atomic(durable=True):
        if not locks.try_transaction_lock("kit.sequencer"):
            return 0
        with connection.cursor() as cursor:
            settled = _advance(cursor)
            cursor.execute(_PLACE, [settled, limit])
            return int(cursor.rowcount)


def _advance(cursor: CursorWrapper) -> int:
    """Move the low-water mark as far as is safe and note the next candidate; the mark (an event id)."""
    run = cursor.execute
    # The last id drawn is read before this transaction has an xid. Whoever drew an id up to it had an xid before
    # (kit_record), so a smaller one than ours. The snapshot's xmax would not do: it may lie below xids in progress.
    run("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM kit_event_id_seq")
    (drawn,) = cursor.fetchone()
    run("INSERT INTO kit_lowwater (id, settled, pending_id, pending_xid) VALUES (1, 0, 0, 0) ON CONFLICT DO NOTHING")
    run("SELECT settled, pending_id, pending_xid FROM kit_lowwater WHERE id = 1")
    settled, pending_id, pending_xid = cursor.fetchone()
    run(
        "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint,"
        " (SELECT min(e.id) FROM kit_event e WHERE e.id > %s"
        "  AND NOT EXISTS (SELECT 1 FROM kit_eventplace p WHERE p.event_id = e.id))"
        " FROM pg_current_snapshot() s",
        [settled],
    )
    xmin, xmax, unplaced = cursor.fetchone()
    if pending_id > settled and xmin >= pending_xid and (unplaced is None or unplaced > pending_id):
        run(
            "UPDATE kit_lowwater SET settled = %s, pending_id = %s, pending_xid = pg_current_xact_id()::text::bigint"
            " WHERE id = 1",
            [pending_id, drawn],
        )
        return int(pending_id)
    # A candidate whose horizon lies in the future came with a restore from another server, whose xids were higher.
    if (pending_id <= settled or pending_xid > xmax) and drawn > settled:
        run(
            "UPDATE kit_lowwater SET pending_id = %s, pending_xid = pg_current_xact_id()::text::bigint WHERE id = 1",
            [drawn],
        )
    return int(settled)
