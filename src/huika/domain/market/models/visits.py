"""What visits cost and bring."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class VisitCost(models.Model):
    """What a visit costs the platform in a city, or in one district of it; see `types.VisitCost`."""

    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30, blank=True, default="")  # empty: where no district has its own
    visit_fen = models.PositiveBigIntegerField()
    card_fen = models.PositiveBigIntegerField(default=0)
    sms_fen = models.PositiveBigIntegerField(default=0)
    rail_bp = models.PositiveIntegerField(default=0)
    premium_bp = models.PositiveIntegerField(default=0)
    bad_bp = models.PositiveIntegerField(default=0)
    least_face_fen = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "district"], name="market_visit_cost_once"),
            models.CheckConstraint(
                condition=Q(rail_bp__lte=10_000, premium_bp__lte=10_000, bad_bp__lte=10_000),
                name="market_visit_cost_shares",
            ),
        ]


class VisitSum(models.Model):
    """What an offer's visit brings and costs; nobody is sent for one that is not covered without a person's word."""

    id = models.BigAutoField(primary_key=True)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    offer = models.CharField(max_length=60)
    face_fen = models.BigIntegerField()
    income_fen = models.BigIntegerField()
    cost_fen = models.BigIntegerField()
    least_face_fen = models.BigIntegerField(null=True)
    zone_least_face_fen = models.BigIntegerField(default=0)
    visit_fen = models.BigIntegerField(default=0)  # of its cost, what going there takes
    taken_at = models.DateTimeField(null=True)  # a seller accepted it
    words = models.PositiveSmallIntegerField(default=1)  # for how many visits there was a word, where one was needed
    allowed_by = models.UUIDField(null=True)
    # Of a pool's word that its member has moved on to another comparison the reason stays, without anybody.
    allowed_because = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "offer"], name="market_visit_sum_once"),
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True)
                | Q(allowed_by__isnull=False)
                | Q(income_fen__gte=F("cost_fen"), face_fen__gte=F("zone_least_face_fen")),
                name="market_visit_covered_or_allowed",
            ),
            models.CheckConstraint(
                condition=Q(allowed_by__isnull=True) | ~Q(allowed_because=""), name="market_visit_allowed_for_a_reason"
            ),
        ]


class Taken(models.Model):
    """A seller accepted an offer: which comparisons were won, and by which full pool where one pays for the visit."""

    app_may: ClassVar[str] = "SELECT, INSERT, UPDATE (called_off_at)"
    order = models.UUIDField(primary_key=True)
    comparison = models.ForeignKey("market.Comparison", on_delete=models.PROTECT, related_name="+")
    offer = models.CharField(max_length=60)
    at = models.DateTimeField()
    pool_id = models.UUIDField(null=True)
    called_off_at = models.DateTimeField(null=True)  # the order came to nothing before its visit

    class Meta:
        indexes = [models.Index(fields=["pool_id"], condition=Q(pool_id__isnull=False), name="market_taken_by_pool")]
