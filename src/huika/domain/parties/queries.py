"""Who is who, read-only."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from huika.domain.parties import codes, errors, models, rules
from huika.domain.parties.types import (
    Actor,
    PayeeDetails,
    PayeeRef,
    Person,
    RecyclerKind,
    RecyclerRef,
    Role,
    SellerStatus,
)
from huika.kit import clock
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


def seller(party_id: UUID) -> SellerStatus:
    """What decides whether this seller may trade."""
    row = models.Seller.objects.select_related("party").filter(party_id=party_id).first()
    if row is None:
        raise NotFound()
    given = models.Consent.objects.filter(seller=row, withdrawn_at=None).values_list("kind", flat=True)
    return SellerStatus(
        row.party_id, row.party.alias, row.verification == "verified", frozenset(given), row.by_telephone
    )


def require_consents(status: SellerStatus) -> None:
    """ConsentMissing unless every consent that a visit needs stands."""
    missing = [k for k in rules.CONSENTS if k not in status.consents]
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


def payee_details(payee_id: UUID) -> PayeeDetails:
    """Account and name for the rail's request, and for nothing else."""
    row = models.Payee.objects.get(id=payee_id)
    return PayeeDetails(row.account, row.name)


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
    return f"{row.district} {row.line}"


def door_codes(visit_id: UUID) -> tuple[str, str]:
    """(the courier's four digits, the seller's six) for one visit."""
    return codes.door_codes(visit_id)


def token_of(session: UUID) -> str:
    """The bearer token of a session that was just opened."""
    return rules.token(secret_key("session"), session)
