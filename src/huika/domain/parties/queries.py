"""Who is who, read-only."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from allauth.core.internal.sessionkit import get_session_user
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Count, Q

from huika.domain.catalog import queries as catalog
from huika.domain.parties import codes, errors, models, rules
from huika.domain.parties.types import (
    Actor,
    CourierRef,
    Device,
    LicenceRef,
    Passkey,
    PayeeDetails,
    PayeeRef,
    Person,
    RecyclerKind,
    RecyclerRef,
    Role,
    SellerStatus,
    Staff,
)
from huika.kit import approvals, clock
from huika.kit.derived import secret_key
from huika.kit.refusals import NotFound, NotSignedIn


def actor_of(token: str) -> Actor:
    """Who carries this bearer token; NotSignedIn when nobody does any more."""
    row = (
        models.Session.objects.filter(
            token_hash=hashlib.sha256(token.encode()).digest(),
            ended_at=None,
            expires_at__gt=clock.now(),
            party__active=True,
        )
        .values_list("party_id", "party__role", "id")
        .first()
    )
    if row is None:
        raise NotSignedIn()
    return Actor(row[0], Role(row[1]), row[2])


def actor_of_user(user_id: UUID) -> Actor | None:
    """Who a staff login is; None when it or its party is no longer active."""
    row = (
        models.User.objects.filter(id=user_id, is_active=True, party__active=True)
        .values_list("party_id", "party__role")
        .first()
    )
    return Actor(row[0], Role(row[1])) if row else None


def signing_key(kid: str) -> tuple[Actor, bytes]:
    """The party behind a signing key, and its raw Ed25519 public key; UnknownKey otherwise."""
    row = models.SigningKey.objects.select_related("party").filter(kid=kid, active=True, party__active=True).first()
    if row is None:
        raise errors.UnknownKey()
    return Actor(row.party_id, Role(row.party.role)), bytes(row.public_key)


def person(party_id: UUID) -> Person:
    """A party under its alias."""
    row = models.Party.objects.filter(id=party_id).first()
    if row is None:
        raise NotFound()
    return Person(row.id, Role(row.role), row.alias)


def phone_of(seller_id: UUID) -> str | None:
    """Where a seller is reached by telephone; None for nobody."""
    return models.Seller.objects.filter(party_id=seller_id).values_list("phone", flat=True).first() or None


def seller(party_id: UUID) -> SellerStatus:
    """What decides whether this seller may trade."""
    row = models.Seller.objects.select_related("party").filter(party_id=party_id).first()
    if row is None:
        raise NotFound()
    given = models.Consent.objects.filter(seller=row, withdrawn_at=None).values_list("kind", flat=True)
    return SellerStatus(
        row.party_id, row.party.alias, row.verification == "verified", frozenset(given), row.by_telephone
    )


def agreed(sellers: Iterable[UUID], kind: str) -> frozenset[UUID]:
    """Those of these sellers whose consent of this kind stands."""
    rows = models.Consent.objects.filter(seller_id__in=list(sellers), kind=kind, withdrawn_at=None)
    return frozenset(rows.values_list("seller_id", flat=True))


def require_consents(status: SellerStatus, rail: str) -> None:
    """ConsentMissing unless every consent that a visit paid by `rail` needs stands."""
    needed = rules.VISIT_NEEDS if rail == "cash" else (*rules.VISIT_NEEDS, "payee")
    missing = [k for k in needed if k not in status.consents]
    if missing:
        raise errors.ConsentMissing(missing_zh=rules.CONSENTS[missing[0]][0], missing=rules.CONSENTS[missing[0]][1])


def payee(seller_id: UUID, payee_id: UUID) -> PayeeRef:
    """A seller's standing payee; NotFound when it is somebody else's."""
    row = models.Payee.objects.filter(id=payee_id, seller_id=seller_id, ended_at=None).first()
    if row is None:
        raise NotFound()
    return PayeeRef(row.id, row.rail, row.usable_from, rules.masked(row.account))


def payees(seller_id: UUID) -> Sequence[PayeeRef]:
    """A seller's standing payees."""
    rows = models.Payee.objects.filter(seller_id=seller_id, ended_at=None).order_by("created_at")
    return [PayeeRef(r.id, r.rail, r.usable_from, rules.masked(r.account)) for r in rows]


def written_account(rail: str, text: str) -> str:
    """An account as its rail writes it, checked without asking anybody. Raises MalformedAccount."""
    return rules.account(rail, text)


def payee_details(payee_id: UUID) -> PayeeDetails:
    """Account and name for the rail's request, and for nothing else."""
    row = models.Payee.objects.get(id=payee_id)
    return PayeeDetails(row.account, row.name, row.rail)


def recyclers(active: bool = True) -> Sequence[RecyclerRef]:
    """Recyclers that may trade today (active, licensed), by name; with `active` False every one there is."""
    rows = models.Recycler.objects.select_related("party").order_by("name_en")
    today = clock.now().astimezone(clock.SHANGHAI).date()
    found = [_recycler(r, r.party.active and r.licence_until >= today) for r in rows]
    return [r for r in found if r.active or not active]


def recycler(party_id: UUID) -> RecyclerRef:
    """One recycler."""
    row = models.Recycler.objects.select_related("party").filter(party_id=party_id).first()
    if row is None:
        raise NotFound()
    return _recycler(row, row.party.active)


def _recycler(row: models.Recycler, active: bool) -> RecyclerRef:
    key = bytes(row.release_key) if row.release_key else None
    return RecyclerRef(row.party_id, row.name_zh, row.name_en, RecyclerKind(row.kind), key, active)


def identity_check(check_id: UUID) -> tuple[str, str] | None:
    """Name and identity number of a check that still waits, for the identity service's request alone."""
    row = models.IdentityCheck.objects.filter(id=check_id, state="pending").first()
    return (row.name, row.id_number) if row else None


def verification(seller_id: UUID) -> str:
    """none, pending, verified or failed."""
    found = models.Seller.objects.filter(party_id=seller_id).values_list("verification", flat=True).first()
    return found or "none"


def courier_badge(party_id: UUID) -> str:
    """The number on a courier's badge."""
    return models.Courier.objects.values_list("badge", flat=True).get(party_id=party_id)


def address_line(address_id: UUID) -> str:
    """City, district and door, for the assigned courier around the visit alone."""
    row = models.Address.objects.get(id=address_id)
    district = next((d.name_zh for d in catalog.districts(row.city) if d.slug == row.district), row.district)
    return row.line if district in row.line else f"{district} {row.line}"


def address_place(address_id: UUID) -> tuple[int, int]:
    """(latitude, longitude) in millionths of a degree, for the assigned courier's way there alone."""
    row = models.Address.objects.get(id=address_id)
    return row.lat_e6, row.lng_e6


def door_codes(visit_id: UUID) -> tuple[str, str]:
    """(the courier's four digits, the seller's six) for one visit."""
    return codes.door_codes(visit_id)


def token_of(session: UUID) -> str:
    """The bearer token of a session that was just opened."""
    return rules.token(secret_key("session"), session)


def seller_by_phone(phone_text: str) -> SellerStatus | None:
    """The seller behind a caller's number, if there is one. Raises MalformedPhone."""
    known = models.Seller.objects.filter(phone=rules.phone(phone_text)).values_list("party_id", flat=True).first()
    return seller(known) if known else None


def licences() -> Sequence[LicenceRef]:
    """Every recycler's papers, by name."""
    rows = models.Recycler.objects.select_related("party").order_by("name_en", "party_id")
    return [
        LicenceRef(
            r.party_id, r.name_zh, r.name_en, RecyclerKind(r.kind), r.licence_number, r.licence_until, r.party.active
        )
        for r in rows
    ]


def couriers() -> Sequence[CourierRef]:
    """Every courier, by badge."""
    rows = models.Courier.objects.select_related("party").order_by("badge")
    return [CourierRef(r.party_id, r.name, r.badge, r.party.active) for r in rows]


def staff(user_id: UUID) -> Staff:
    """One login of staff that is active; NotFound otherwise."""
    found = next(iter(_staff(id=user_id)), None)
    if found is None:
        raise NotFound()
    return found


def all_staff() -> Sequence[Staff]:
    """Every active login of staff, by role and name."""
    return _staff()


def _staff(**which: UUID) -> list[Staff]:
    rows = models.User.objects.select_related("party").filter(is_active=True, party__active=True, **which)
    counted = rows.annotate(keys=Count("authenticator", filter=Q(authenticator__type=Authenticator.Type.WEBAUTHN)))
    return [
        Staff(r.id, r.party_id, Role(r.party.role), r.username, r.keys, r.enrol_by_link, r.last_login)
        for r in counted.order_by("party__role", "username")
    ]


def staff_names(parties: Iterable[UUID]) -> dict[UUID, str]:
    """Party → the name its staff sign in with."""
    rows = models.User.objects.filter(party_id__in=set(parties)).order_by("-username")
    return dict(rows.values_list("party_id", "username"))


def passkeys(user_id: UUID) -> Sequence[Passkey]:
    """A login's passkeys, oldest first."""
    rows = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN).order_by("created_at")
    return [Passkey(r.id, r.data["name"], r.created_at, r.last_used_at) for r in rows]


def devices(user_id: UUID) -> Sequence[Device]:
    """Browsers signed in with this login, newest first."""
    rows = UserSession.objects.filter(user_id=user_id).order_by("-created_at")
    living = [r for r in rows if get_session_user(r._session_store(r.session_key)) is not None]
    return [Device(r.id, r.session_key, r.user_agent, r.ip, r.created_at) for r in living]


def tokens(party_id: UUID) -> int:
    """How many bearer tokens of a party are good: programs of staff, devices of a seller."""
    return models.Session.objects.filter(party_id=party_id, ended_at=None, expires_at__gt=clock.now()).count()


def enrolment_link(approval_id: UUID, asker: UUID) -> tuple[str, datetime] | None:
    """The token of a recovery's link and until when it is good, for whoever asked for the recovery alone.

    None when it was used, has expired, or somebody else wants it: who approved never holds it, and it needs
    the login's own password besides.
    """
    link = models.Enrolment.objects.filter(approval=approval_id, used_at=None, expires_at__gt=clock.now()).first()
    if link is None or approvals.asked(approval_id).asked_by != asker:
        return None
    return rules.token(secret_key("enrolment"), link.id), link.expires_at


def enrolling(token: str) -> Staff:
    """Whose passkey this link adds. Raises LinkDead."""
    digest = hashlib.sha256(token.encode()).digest()
    link = models.Enrolment.objects.filter(token_hash=digest, used_at=None, expires_at__gt=clock.now()).first()
    if link is None:
        raise errors.LinkDead()
    return staff(link.user_id)
