"""The ledger's rows. The app role may only read them; the SQL functions of sql/ledger.sql alone write."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

READ = "SELECT"


class Account(models.Model):
    """An account with its balance limits as constraints; amounts in fen.

    What a posting never changes (kind, a party's floor, no limits where there are shards) is held by a trigger instead:
    PostgreSQL reads every CHECK of a table anew in each statement that writes it.
    """

    app_may: ClassVar[str] = READ
    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10)
    party = models.UUIDField(null=True, db_index=True)
    balance_fen = models.BigIntegerField(default=0)
    held_fen = models.BigIntegerField(default=0)
    floor_fen = models.BigIntegerField(null=True)
    ceiling_fen = models.BigIntegerField(null=True)
    shards = models.SmallIntegerField(default=0)  # rows of Shard that also hold its money
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(floor_fen__isnull=True) | Q(balance_fen__gte=F("floor_fen") + F("held_fen")),
                name="ledger_account_floor",
            ),
            models.CheckConstraint(
                condition=Q(ceiling_fen__isnull=True) | Q(balance_fen__lte=F("ceiling_fen")),
                name="ledger_account_ceiling",
            ),
        ]


class Shard(models.Model):
    """One of the rows over which a busy account's money is spread; fen."""

    app_may: ClassVar[str] = READ
    pk = models.CompositePrimaryKey("account_id", "n")
    account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    n = models.PositiveSmallIntegerField()
    balance_fen = models.BigIntegerField()


class Posting(models.Model):
    """One movement of money; append-only. `reverses` is the one posting that it undoes."""

    app_may: ClassVar[str] = READ
    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=160, unique=True)
    request_hash = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=60)
    subject = models.UUIDField(db_index=True)
    at = models.DateTimeField()
    reverses = models.ForeignKey(
        "ledger.Posting", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False, db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="ledger_posting_reversed_once"
            )
        ]


class Leg(models.Model):
    """One side of a posting; the legs of a posting sum to zero.

    Without foreign keys in the database: the ledger's functions alone write it, to a posting they have just made and
    accounts they have just found, neither of which can be deleted; two checks a leg cost a fifth of a posting.
    """

    app_may: ClassVar[str] = READ
    pk = models.CompositePrimaryKey("posting_id", "n")
    posting = models.ForeignKey(
        "ledger.Posting", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    n = models.SmallIntegerField()
    account = models.ForeignKey(
        "ledger.Account", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount_fen=0), name="ledger_leg_not_zero")]
        indexes = [models.Index(fields=["account", "posting"], name="ledger_leg_of_account")]


class Hold(models.Model):
    """Money promised: captured in parts, released, or expired."""

    app_may: ClassVar[str] = READ
    id = models.UUIDField(primary_key=True)
    key = models.CharField(max_length=160, unique=True)
    request_hash = models.BinaryField(max_length=32)
    account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+")
    subject = models.UUIDField(db_index=True)
    amount_fen = models.BigIntegerField()
    captured_fen = models.BigIntegerField(default=0)
    released_fen = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, captured_fen__gte=0, released_fen__gte=0), name="ledger_hold_signs"
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gte=F("captured_fen") + F("released_fen")), name="ledger_hold_within"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="ledger_hold_open",
                condition=Q(amount_fen__gt=F("captured_fen") + F("released_fen")),
            )
        ]


class HoldMove(models.Model):
    """What happened to a hold: captured (with its posting), released, expired; append-only."""

    app_may: ClassVar[str] = READ
    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=160, unique=True)
    request_hash = models.BinaryField(max_length=32)
    hold = models.ForeignKey("ledger.Hold", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10)
    amount_fen = models.BigIntegerField()
    posting = models.ForeignKey("ledger.Posting", on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0), name="ledger_holdmove_sign")]
