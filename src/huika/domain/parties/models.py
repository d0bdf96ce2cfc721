"""Rows about people and firms. Personal data stands here and nowhere else."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from huika.domain.parties.types import Purpose, RecyclerKind, Role
from huika.kit import ids


class Party(models.Model):
    """Anybody who takes part. The alias is what counterparties see."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    role = models.CharField(max_length=12, choices=[(r, r) for r in Role])
    alias = models.CharField(max_length=40, unique=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=list(Role)), name="parties_party_role")]


class User(AbstractBaseUser):
    """A login of staff: couriers, desk, recyclers' staff, regulators. Sellers sign in by phone code."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    username = models.CharField(max_length=60, unique=True)
    party = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    wrong_passwords = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    sign_outs = models.PositiveIntegerField(default=0)  # part of every page session's hash: one more ends them all
    enrol_by_link = models.BooleanField(default=False)  # passkeys were taken away by two people: a password enrols none

    USERNAME_FIELD = "username"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac(
            "huika.parties.User.session", f"{self.password}/{self.sign_outs}", secret=secret, algorithm="sha256"
        ).hexdigest()


class Enrolment(models.Model):
    """A link that lets one person add one passkey once, made when two colleagues agreed. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    user = models.ForeignKey("parties.User", on_delete=models.PROTECT, related_name="+")
    approval = models.UUIDField(unique=True)
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Seller(models.Model):
    """A seller's personal data. A telephone seller exists without ever signing in."""

    party = models.OneToOneField("parties.Party", on_delete=models.PROTECT, related_name="+", primary_key=True)
    phone = models.CharField(max_length=11, unique=True)
    name = models.CharField(max_length=40, blank=True, default="")
    id_number_hash = models.BinaryField(max_length=32, null=True)
    verification = models.CharField(max_length=10, default="none")
    verified_at = models.DateTimeField(null=True)
    by_telephone = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verification__in=["none", "pending", "verified", "failed"]),
                name="parties_seller_verification",
            ),
            models.CheckConstraint(
                condition=~Q(verification="verified") | (~Q(name="") & Q(verified_at__isnull=False)),
                name="parties_seller_verified_has_name",
            ),
        ]


class IdentityCheck(models.Model):
    """A name and identity number on their way to the identity service; the number is wiped with the answer."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    seller = models.ForeignKey("parties.Seller", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=40)
    id_number = models.CharField(max_length=18, blank=True)
    state = models.CharField(max_length=10, default="pending")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state="pending") | Q(id_number=""), name="parties_identity_number_wiped")
        ]


class Recycler(models.Model):
    """A firm that buys cards: one of three kinds, with its licence."""

    party = models.OneToOneField("parties.Party", on_delete=models.PROTECT, related_name="+", primary_key=True)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    kind = models.CharField(max_length=12)
    licence_number = models.CharField(max_length=40)
    licence_until = models.DateField()
    release_key = models.BinaryField(max_length=32, null=True)  # X25519, cards' PINs are released to it alone

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=list(RecyclerKind)), name="parties_recycler_kind")]


class SigningKey(models.Model):
    """A recycler's Ed25519 key for signed requests."""

    kid = models.CharField(max_length=40, primary_key=True)
    party = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    public_key = models.BinaryField(max_length=32)
    active = models.BooleanField(default=True)


class UsedNonce(models.Model):
    """A nonce of a signed request; a second one is a replay. Swept after its time window."""

    app_may: ClassVar[str] = "SELECT, INSERT, DELETE"
    id = models.BigAutoField(primary_key=True)
    kid = models.CharField(max_length=40)
    nonce = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kid", "nonce"], name="parties_nonce_once")]


class Courier(models.Model):
    """A courier's badge; the phone goes to nobody but the relay."""

    party = models.OneToOneField("parties.Party", on_delete=models.PROTECT, related_name="+", primary_key=True)
    name = models.CharField(max_length=40)
    badge = models.CharField(max_length=20, unique=True)
    phone = models.CharField(max_length=11)


class Session(models.Model):
    """A signed-in device. The token itself is not kept, only its hash."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    party = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class Code(models.Model):
    """A one-time code: one purpose, one phone, one session, one context (the amount it consents to, say).

    `sealed` is the code encrypted for the sender's job, wiped once sent; only `digest` stays.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    purpose = models.CharField(max_length=10)
    phone = models.CharField(max_length=11)
    binding = models.BinaryField(max_length=32)  # hash of session and context
    words = models.JSONField(default=dict)  # what the text message says beside the code
    digest = models.BinaryField(max_length=32)
    sealed = models.BinaryField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)  # the last wrong try
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=list(Purpose)), name="parties_code_purpose"),
            models.CheckConstraint(condition=Q(tries__lte=5), name="parties_code_tries"),
        ]
        indexes = [models.Index(fields=["phone", "purpose", "-at"])]


class Consent(models.Model):
    """One consent, given or withdrawn, with the version of its words."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    seller = models.ForeignKey("parties.Seller", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    version = models.PositiveSmallIntegerField()
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "kind"], condition=Q(withdrawn_at__isnull=True), name="parties_consent_once"
            )
        ]


class Address(models.Model):
    """Where a seller is visited. Reaches the assigned courier only, around the visit."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    seller = models.ForeignKey("parties.Seller", on_delete=models.PROTECT, related_name="+")
    city = models.CharField(max_length=20)
    district = models.CharField(max_length=30)
    line = models.CharField(max_length=120)
    lat_e6 = models.IntegerField()
    lng_e6 = models.IntegerField()
    at = models.DateTimeField()


class Payee(models.Model):
    """Where a seller is paid. The name equals the verified name; a changed payee waits."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    seller = models.ForeignKey("parties.Seller", on_delete=models.PROTECT, related_name="+")
    rail = models.CharField(max_length=20)
    account = models.CharField(max_length=80)
    name = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    usable_from = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "rail"], condition=Q(ended_at__isnull=True), name="parties_payee_one_per_rail"
            )
        ]
