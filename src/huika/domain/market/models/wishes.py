"""What sellers wait for: a price, or neighbours to share a visit with; and what they are told when it comes."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from huika.kit import ids

MOST_ALERTS = 10


class PriceAlert(models.Model):
    """A seller wants to hear when cards like these bring at least `net_fen`; it ends when it is reached or taken back.

    `place`: from 1 to 10, so that nobody has more.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    seller_id = models.UUIDField()
    place = models.PositiveSmallIntegerField()
    city = models.CharField(max_length=20)
    kind = models.CharField(max_length=60)
    form = models.CharField(max_length=10)
    face_fen = models.BigIntegerField()  # of one card
    cards = models.PositiveSmallIntegerField()
    net_fen = models.BigIntegerField()  # of all of them
    at = models.DateTimeField()
    reached_fen = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seller_id", "place"], condition=Q(ended_at__isnull=True), name="market_alert_place_once"
            ),
            models.UniqueConstraint(
                fields=["seller_id", "city", "kind", "form", "face_fen", "cards"],
                condition=Q(ended_at__isnull=True),
                name="market_alert_once",
            ),
            models.CheckConstraint(condition=Q(place__gte=1, place__lte=MOST_ALERTS), name="market_alert_place_within"),
            models.CheckConstraint(
                condition=Q(face_fen__gt=0, net_fen__gt=0, cards__gte=1, cards__lte=60), name="market_alert_positive"
            ),
            models.CheckConstraint(
                condition=Q(reached_fen__isnull=True) | Q(reached_fen__gte=F("net_fen"), ended_at__isnull=False),
                name="market_alert_reached_ends",
            ),
        ]
        indexes = [
            models.Index(fields=["city", "kind"], condition=Q(ended_at__isnull=True), name="market_alert_waiting")
        ]


class Pool(models.Model):
    """Baskets of one district that are each too little for a visit; together they may be enough."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30)
    at = models.DateTimeField()
    covered_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField()  # of one that is covered: until when its members may book
    ended_at = models.DateTimeField(null=True)
    opens = models.DateTimeField(null=True)  # the window of its one visit, as the first who booked chose it
    sent_by = models.UUIDField(null=True)  # a person sends somebody though those who booked do not cover the visit
    sent_margin_fen = models.BigIntegerField(null=True)  # what the visit came to when that was said
    sent_because = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city", "district"],
                condition=Q(covered_at__isnull=True, ended_at__isnull=True),
                name="market_pool_one_open",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("at")), name="market_pool_ends_later"),
            models.CheckConstraint(
                condition=Q(opens__isnull=True) | Q(covered_at__isnull=False, ends_at__lt=F("opens")),
                name="market_pool_window_of_a_full_one",
            ),
            models.CheckConstraint(
                condition=Q(sent_by__isnull=True, sent_because="") | (Q(sent_by__isnull=False) & ~Q(sent_because="")),
                name="market_pool_sent_for_a_reason",
            ),
        ]


class PoolMember(models.Model):
    """A seller's basket in a pool: one at a time in a district. `word` (estate, building) is for the desk alone."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey("market.Pool", on_delete=models.PROTECT, related_name="+")
    seller_id = models.UUIDField()
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30)
    word = models.CharField(max_length=20, blank=True, default="")
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    face_fen = models.BigIntegerField()
    margin_fen = models.BigIntegerField()  # of its offer with a visit of its own
    visit_fen = models.BigIntegerField()
    zone_least_face_fen = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    used = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seller_id", "city", "district"],
                condition=Q(left_at__isnull=True),
                name="market_pool_member_once",
            ),
            models.CheckConstraint(
                condition=Q(face_fen__gt=0, visit_fen__gte=0, zone_least_face_fen__gte=0),
                name="market_pool_member_positive",
            ),
        ]
        indexes = [models.Index(fields=["pool"], name="market_pool_members")]


class Notice(models.Model):
    """What a seller is told once: an alert that was reached, a pool that is full. Read by its seller alone."""

    app_may: ClassVar[str] = "SELECT, INSERT"
    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    seller_id = models.UUIDField()
    kind = models.CharField(max_length=10)  # alert | pool | pool_time
    about = models.UUIDField()
    facts = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller_id", "kind", "about"], name="market_notice_once"),
            models.CheckConstraint(condition=Q(kind__in=["alert", "pool", "pool_time"]), name="market_notice_kind"),
        ]
