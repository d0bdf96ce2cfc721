"""Tables of the catalogue. Written by `actions.load` alone; every row names its source and its trust."""

from django.db import models
from django.db.models import F, Q


class Edition(models.Model):
    """One row: the digest of everything in the catalogue, so that a process notices that its copy is old."""

    id = models.SmallIntegerField(primary_key=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="catalog_edition_one_row")]


class Sourced(models.Model):
    """Where a row comes from."""

    source = models.TextField()
    trust = models.CharField(max_length=16)

    class Meta:
        abstract = True


class Issuer(Sourced):
    """Who issued the card and owes its balance."""

    slug = models.CharField(max_length=60, primary_key=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    in_distress = models.BooleanField()


class CardKind(Sourced):
    """One kind of shopping card; the fields are those of `types.Kind`."""

    slug = models.CharField(max_length=60, primary_key=True)
    place = models.PositiveSmallIntegerField()
    issuer = models.ForeignKey("catalog.Issuer", on_delete=models.PROTECT, related_name="+")
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    aliases = models.JSONField()
    form = models.CharField(max_length=16)
    scope = models.CharField(max_length=16)
    scope_note_zh = models.TextField(blank=True)
    scope_note_en = models.TextField(blank=True)
    currency = models.CharField(max_length=3)
    face_values = models.JSONField(null=True)  # [fen, …] | {"range": [low, high]} | "any" | null: unknown
    face_values_open = models.BooleanField()
    face_note = models.TextField(blank=True)
    number_patterns = models.JSONField()
    number_firm = models.BooleanField()
    number_note = models.TextField(blank=True)
    pin_patterns = models.JSONField()
    pin_firm = models.BooleanField()
    pin_note = models.TextField(blank=True)
    validity_note = models.TextField(blank=True)
    registered = models.CharField(max_length=16)
    lock_electronic = models.CharField(max_length=16, null=True)  # null: no such form; "none": cannot be locked
    lock_plastic = models.CharField(max_length=16, null=True)
    lock_trust = models.CharField(max_length=16)
    balance_channels = models.JSONField()
    seller_can_report_lost = models.CharField(max_length=16)
    ratio_low_bp = models.PositiveIntegerField()
    ratio_high_bp = models.PositiveIntegerField()
    policy = models.CharField(max_length=16)
    policy_zh = models.TextField(blank=True)
    policy_en = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ratio_low_bp__lte=F("ratio_high_bp")) & Q(ratio_high_bp__lte=10_000),
                name="catalog_cardkind_ratios",
            ),
            models.CheckConstraint(
                condition=Q(policy__in=["accept", "limit", "refuse"]), name="catalog_cardkind_policy"
            ),
        ]


class NumberMeaning(Sourced):
    """What a number that fits a pattern says about its card."""

    slug = models.CharField(max_length=60, primary_key=True)
    kind = models.ForeignKey("catalog.CardKind", on_delete=models.PROTECT, related_name="+")
    pattern = models.CharField(max_length=120)
    zh = models.TextField()
    en = models.TextField()
    pin_pattern = models.CharField(max_length=120, blank=True)
    face_value_fen = models.BigIntegerField(null=True)
    scope = models.CharField(max_length=16, blank=True)


class Limit(Sourced):
    """A limit of law or policy, in its own unit."""

    code = models.CharField(max_length=60, primary_key=True)
    value = models.BigIntegerField()
    unit = models.CharField(max_length=16)
    bound = models.CharField(max_length=16)
    zh = models.TextField()
    en = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(value__gte=0), name="catalog_limit_not_negative")]


class ReasonCode(Sourced):
    """A published reason for a new quote at the door."""

    code = models.CharField(max_length=60, primary_key=True)
    number = models.PositiveSmallIntegerField()
    zh = models.TextField()
    en = models.TextField()
    basis = models.CharField(max_length=16)
    max_deduction_bp = models.PositiveIntegerField()
    max_deduction_fen = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(max_deduction_bp__lte=10_000)
                & (Q(max_deduction_fen__isnull=True) | Q(max_deduction_fen__gte=0)),
                name="catalog_reasoncode_maximum",
            )
        ]


class City(Sourced):
    """A city with its approximate centre in micro-degrees, WGS-84."""

    slug = models.CharField(max_length=60, primary_key=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    adcode = models.CharField(max_length=6)
    lat_e6 = models.IntegerField()
    lng_e6 = models.IntegerField()


class District(Sourced):
    """A district of a city with its approximate centre in micro-degrees, WGS-84."""

    slug = models.CharField(max_length=60, primary_key=True)
    city = models.ForeignKey("catalog.City", on_delete=models.PROTECT, related_name="+")
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    adcode = models.CharField(max_length=6)
    lat_e6 = models.IntegerField()
    lng_e6 = models.IntegerField()


class PlatformClaim(Sourced):
    """What an interested party says of one platform."""

    slug = models.CharField(max_length=60, primary_key=True)
    platform_kind = models.CharField(max_length=16)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    share_low_bp = models.PositiveIntegerField(null=True)
    share_high_bp = models.PositiveIntegerField(null=True)
    response_low_minutes = models.PositiveIntegerField(null=True)
    response_high_minutes = models.PositiveIntegerField(null=True)
    cities_zh = models.CharField(max_length=120, blank=True)
    cities_en = models.CharField(max_length=120, blank=True)
    complaint_low_bp = models.PositiveIntegerField(null=True)
    complaint_high_bp = models.PositiveIntegerField(null=True)
    claimed_on = models.DateField(null=True)
    conflicts_with = models.TextField(blank=True)
