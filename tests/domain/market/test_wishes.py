"""Price alerts are told once."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction
from tests.domain.ledger.together import refused, together
from tests.domain.trade import ground

from huika.domain.catalog.errors import FaceValueNotOfKind
from huika.domain.market import actions, models, queries
from huika.kit import clock, replay
from huika.kit.refusals import Malformed, NotFound, Refusal

pytestmark = pytest.mark.django_db
BOOK = ground.book(("walmart", "*", "electronic", "0.9"))
CELL = (ground.CITY, "walmart", "electronic", 1000_00, 1)


def alert(seller: UUID, net_fen: int = 870_00, **other: Any) -> UUID:
    cell = dict(zip(("city", "kind", "form", "face_fen", "cards"), CELL, strict=True)) | other
    return actions.set_alert(seller, net_fen=net_fen, **cell)


def settle() -> None:
    """Followers and jobs until nothing is left."""
    replay.settle(1, horizon_seconds=0)


# ---- alerts


def test_an_alert_is_told_once_when_a_book_brings_the_price_and_then_has_ended() -> None:
    ground.operator()
    seller, party = uuid4(), ground.recycler(BOOK)
    mine = alert(seller)  # 900 − 32 − 4.50 = 863.50
    alert(seller, 1900_00, cards=2)
    settle()
    assert (len(queries.alerts_of(seller)), queries.notices_of(seller)) == (2, [])
    ground.publish(party, BOOK.replace("0.9", "0.91"))  # 910 − 32 − 4.55
    settle()
    (told,) = queries.notices_of(seller)
    assert (told.kind, told.about, told.facts["net_fen"]) == ("alert", mine, 873_45)
    assert [a.cards for a in queries.alerts_of(seller)] == [2]
    ground.publish(party, BOOK.replace("0.9", "0.92"))
    settle()
    actions.alert_reached(mine, 999_00)
    assert len(queries.notices_of(seller)) == 1
    assert models.PriceAlert.objects.get(id=mine).reached_fen == 873_45


def test_a_book_that_counts_later_is_looked_at_when_it_counts() -> None:
    ground.operator()
    seller, party = uuid4(), ground.recycler(BOOK)
    alert(seller)
    later = clock.now() + timedelta(hours=2)
    actions.publish_book(party, BOOK.replace("0.9", "0.95"), party, effective_from=later)
    settle()
    assert queries.notices_of(seller) == []
    with clock.shifted(timedelta(hours=3)):
        settle()
        assert len(queries.notices_of(seller)) == 1


def test_other_kinds_and_forms_reach_nothing() -> None:
    ground.operator()
    seller, party = uuid4(), ground.recycler(BOOK)
    alert(seller, form="physical")
    alert(seller, kind="hema")
    ground.publish(party, BOOK.replace("0.9", "0.99"))
    settle()
    assert queries.notices_of(seller) == []


def test_ten_alerts_a_seller_one_for_the_same_cards_and_room_again_after_one_has_ended() -> None:
    seller = uuid4()
    made = [alert(seller, cards=n) for n in range(1, models.MOST_ALERTS + 1)]
    with pytest.raises(Refusal) as refusal:
        alert(seller, cards=11)
    assert refusal.value.code == "too_many_alerts" and "10" in refusal.value.message_zh
    with pytest.raises(NotFound):
        actions.end_alert(uuid4(), made[3])
    for _ in range(2):
        actions.end_alert(seller, made[3])
    with pytest.raises(Refusal) as refusal:
        alert(seller, 1_00, cards=1)
    assert refusal.value.code == "alert_stands"
    alert(seller, cards=11)
    alert(uuid4(), cards=1)


@pytest.mark.parametrize("other", [{"net_fen": 0}, {"net_fen": 1200_01}, {"face_fen": 0}, {"cards": 61}, {"form": "x"}])
def test_alerts_that_make_no_sense(other: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        alert(uuid4(), **other)
    for unknown in ({"kind": "nothing"}, {"city": "nowhere"}):
        with pytest.raises(NotFound):
            alert(uuid4(), **unknown)
    with pytest.raises(FaceValueNotOfKind):
        alert(uuid4(), face_fen=37_00, net_fen=30_00)


@pytest.mark.django_db(transaction=True)
def test_at_once_nobody_gets_more_alerts_than_ten_and_the_same_one_once() -> None:
    seller = uuid4()
    for n in range(1, 9):
        alert(seller, cards=n)
    said = together([partial(alert, seller, cards=n) for n in (20, 20, 21, 22, 23)])
    assert len(refused(said)) == 3
    assert models.PriceAlert.objects.filter(seller_id=seller).count() == 10


def test_the_database_keeps_alerts_notices_and_memberships() -> None:
    seller, at = uuid4(), clock.now()
    row = dict(zip(("city", "kind", "form", "face_fen", "cards"), CELL, strict=True)) | {"seller_id": seller, "at": at}
    models.PriceAlert.objects.create(**row, place=1, net_fen=1)
    actions.set_alert(seller, *CELL[:3], 500_00, 1, 400_00)
    notice = {"seller_id": seller, "kind": "alert", "about": seller, "facts": {}, "at": at}
    models.Notice.objects.create(**notice)
    pool = {"city": "x", "district": "y", "at": at, "ends_at": at + timedelta(days=1)}
    models.Pool.objects.create(**pool)
    wrong = [
        lambda: models.PriceAlert.objects.create(**row, place=3, net_fen=2),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=1, net_fen=2),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=11, net_fen=2),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=3, net_fen=0),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=3, net_fen=5, reached_fen=4, ended_at=at),
        lambda: models.PriceAlert.objects.create(**{**row, "cards": 3}, place=3, net_fen=5, reached_fen=5),
        lambda: models.Notice.objects.create(**notice),
        lambda: models.Notice.objects.create(**{**notice, "kind": "other"}),
        lambda: models.Pool.objects.create(**pool),
        lambda: models.Pool.objects.create(**{**pool, "district": "z", "ends_at": at}),
    ]
    for create in wrong:
        with pytest.raises(DatabaseError, match="violates|duplicate"), transaction.atomic():
            create()
