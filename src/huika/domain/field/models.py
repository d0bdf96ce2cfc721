"""Where couriers go and when."""

from django.db import models
from django.db.models import F, Q

from huika.domain.field.machine import VISIT
from huika.kit import ids


class Area(models.Model):
    """A district that is visited, with the middle of it."""

    id = models.BigAutoField(primary_key=True)
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30)
    lat_e6 = models.IntegerField()
    lng_e6 = models.IntegerField()
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "district"], name="field_area_once")]


class Shift(models.Model):
    """A courier's working day; also the lock under which its route changes."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    courier_id = models.UUIDField()
    city = models.CharField(max_length=20)
    day = models.DateField()
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    lat_e6 = models.IntegerField()
    lng_e6 = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier_id", "day"], name="field_shift_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="field_shift_order"),
        ]
        indexes = [models.Index(fields=["city", "day"])]


class Visit(models.Model):
    """A promised visit: one live one an order."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    order_id = models.UUIDField()
    shift = models.ForeignKey("field.Shift", on_delete=models.PROTECT, related_name="+")
    courier_id = models.UUIDField()
    address_id = models.UUIDField(null=True)
    district = models.CharField(max_length=30)
    lat_e6 = models.IntegerField()
    lng_e6 = models.IntegerField()
    opens = models.DateTimeField()
    closes = models.DateTimeField()
    planned = models.DateTimeField()
    service_seconds = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default=VISIT.start)
    departed_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=VISIT.states), name="field_visit_state"),
            models.CheckConstraint(
                condition=Q(planned__gte=F("opens"), planned__lte=F("closes")), name="field_visit_in_window"
            ),
            models.UniqueConstraint(
                fields=["order_id"], condition=~Q(state__in=["cancelled", "no_show"]), name="field_visit_one_live"
            ),
        ]
        indexes = [models.Index(fields=["shift", "planned"]), models.Index(fields=["courier_id", "state"])]
