"""What a recycler still buys on a day: taken with each promise, given back where it comes to nothing."""

from uuid import UUID

from django.db import connection

from huika.domain.market import models
from huika.domain.market.errors import OverCap
from huika.domain.market.queries.effect import one_in_effect
from huika.kit import clock, locks
from huika.kit.change import action

# One statement, so that two promises at the same moment cannot both take what is left: the second waits and sees it.
_TAKE = """
INSERT INTO market_daytake AS day (recycler_id, day, face_fen, most_fen)
VALUES (%(recycler)s, %(day)s, %(face)s, %(most)s)
ON CONFLICT (recycler_id, day) DO UPDATE SET face_fen = day.face_fen + excluded.face_fen, most_fen = excluded.most_fen
WHERE excluded.most_fen IS NULL OR day.face_fen + excluded.face_fen <= excluded.most_fen
RETURNING id
"""


@action
def take_room(lot: UUID, recycler: UUID, face_fen: int) -> None:
    """Count a lot's face value (fen) into its recycler's day (Shanghai). Raises OverCap beyond the live book's cap."""
    at = clock.now()
    live = one_in_effect(recycler, at)
    most = live.most_face_day_fen if live else None
    if most is not None and face_fen > most:
        raise OverCap()
    today = at.astimezone(clock.SHANGHAI).date()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"recycler": recycler, "day": today, "face": face_fen, "most": most})
        row = cursor.fetchone()
    if row is None:
        raise OverCap()
    models.Room.objects.create(lot=lot, day_id=row[0], face_fen=face_fen)


@action
def give_room_back(lot: UUID) -> None:
    """A lot came to nothing: on the day it was promised for its recycler may buy as much again. Once."""
    room = models.Room.objects.select_for_update().filter(lot=lot, back_at=None).first()
    if room is None:
        return
    day = locks.locked(models.DayTake.objects.all(), id=room.day_id)
    day.face_fen -= room.face_fen
    day.save(update_fields=["face_fen"])
    room.back_at = clock.now()
    room.save(update_fields=["back_at"])
