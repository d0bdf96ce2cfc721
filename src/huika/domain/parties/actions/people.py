"""Parties and their papers: staff, recyclers, sellers' names, consents, payees."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from huika.domain.parties import codes, errors, models, queries, rules
from huika.domain.parties.types import Actor, Purpose, Role
from huika.kit import canonical, clock, events, ids, jobs, locks
from huika.kit.change import action
from huika.kit.derived import secret_key
from huika.kit.refusals import Malformed


def new_party(role: Role, prefix: str) -> models.Party:
    """A party with an alias that says nothing about who it is."""
    return models.Party.objects.create(role=role, alias=f"{prefix}{ids.short_code(6)}", created_at=clock.now())


def seller_of(phone: str, *, by_telephone: bool = False) -> models.Seller:
    """The seller with this phone, made if new. A race for the same phone ends with the first one's row."""
    found = models.Seller.objects.select_related("party").filter(phone=phone).first()
    if found:
        return found
    try:
        with transaction.atomic():
            party = new_party(Role.SELLER, "卖家")
            seller = models.Seller.objects.create(party=party, phone=phone, by_telephone=by_telephone)
    except IntegrityError:
        return models.Seller.objects.select_related("party").get(phone=phone)
    events.record("parties.seller.known", party.id, {"by_telephone": by_telephone})
    return seller


@action
def telephone_seller(phone_text: str) -> UUID:
    """A seller who called the desk; exists without a login."""
    return seller_of(rules.phone(phone_text), by_telephone=True).party_id


@action
def ensure_staff(username: str, role: Role, password: str, party_id: UUID | None = None) -> UUID:
    """A login for staff, made or given a new password; its party."""
    user = models.User.objects.filter(username=username).first()
    if user is None:
        party = (
            models.Party.objects.get(id=party_id)
            if party_id
            else new_party(role, "值班" if role == Role.DESK else "员工")
        )
        user = models.User(username=username, party=party)
    user.set_password(password)
    user.save()
    return user.party_id


@action
def ensure_recycler(
    name_zh: str,
    name_en: str,
    kind: str,
    licence_number: str,
    licence_until: date,
    release_key: bytes | None = None,
    signing_key: tuple[str, bytes] | None = None,
) -> UUID:
    """A recycler by its licence number, made or brought up to date; its party."""
    row = models.Recycler.objects.filter(licence_number=licence_number).first()
    if row is None:
        row = models.Recycler(party=new_party(Role.RECYCLER, "商家"), licence_number=licence_number)
        events.record("parties.recycler.enrolled", row.party_id, {"kind": kind})
    row.name_zh, row.name_en, row.kind, row.licence_until = name_zh, name_en, kind, licence_until
    row.release_key = release_key
    row.save()
    if signing_key:
        _set_signing_key(row.party_id, *signing_key)
    return row.party_id


def _set_signing_key(party: UUID, kid: str, public_key: bytes) -> None:
    """The log says whose key it is: what is signed with it can be held against that by anybody."""
    values = {"party_id": party, "public_key": public_key, "active": True}
    if not models.SigningKey.objects.filter(kid=kid, **values).exists():
        models.SigningKey.objects.update_or_create(kid=kid, defaults=values)
        events.record("parties.signing_key.set", party, {"kid": kid, "public_key": public_key.hex()})


@action
def ensure_courier(name: str, badge: str, phone_text: str) -> UUID:
    """A courier by badge, made or found; its party."""
    row = models.Courier.objects.filter(badge=badge).first()
    if row is None:
        party = new_party(Role.COURIER, "专员")
        row = models.Courier.objects.create(party=party, name=name, badge=badge, phone=rules.phone(phone_text))
        events.record("parties.courier.enrolled", party.id, {})
    return row.party_id


@action
def submit_identity(seller_id: UUID, name: str, id_number: str) -> UUID:
    """Send a name and identity number to the identity service; the check's id. Verified when the answer comes."""
    number = rules.id_number(id_number)
    if not 2 <= len(name.strip()) <= 40:
        raise Malformed(field="name", why="2 to 40 characters", why_zh="姓名 2 到 40 个字")
    seller = locks.locked(models.Seller.objects.all(), party_id=seller_id)
    check = models.IdentityCheck.objects.create(seller=seller, name=name.strip(), id_number=number, at=clock.now())
    if seller.verification != "verified":
        seller.verification = "pending"
        seller.save(update_fields=["verification"])
    jobs.defer("parties.check_identity", check_id=str(check.id))
    events.record("parties.identity.asked", seller_id, {"check": str(check.id)})
    return check.id


@action
def enrol(seller_id: UUID, name: str, id_number: str, consents: list[str]) -> UUID | None:
    """What a seller says of themselves once: the consents given, then name and number sent to be verified.

    The check's id; None for a seller who is verified already. Raises ConsentMissing, Malformed, MalformedIdNumber.
    """
    give_consents(seller_id, consents)
    status = queries.seller(seller_id)
    queries.require_consents(status, "cash")
    return None if status.verified else submit_identity(seller_id, name, id_number)


@action
def identity_answered(check_id: UUID, matches: bool) -> None:
    """The identity service has answered: the name is verified or not, and the number is wiped.

    A verified seller stays who they are: another person's number verifies nothing, so that no account is sold on.
    """
    check = locks.locked(models.IdentityCheck.objects.all(), id=check_id)
    if check.state != "pending":
        return
    seller = locks.locked(models.Seller.objects.all(), party_id=check.seller_id)
    number_hash = canonical.digest([secret_key("id-number").hex(), check.id_number])
    matches = matches and (seller.id_number_hash is None or bytes(seller.id_number_hash) == number_hash)
    if matches:
        seller.name, seller.verification, seller.verified_at = check.name, "verified", clock.now()
        seller.id_number_hash = number_hash
    elif seller.verification != "verified":
        seller.verification = "failed"
    seller.save(update_fields=["name", "verification", "verified_at", "id_number_hash"])
    check.state, check.id_number = ("verified" if matches else "failed"), ""
    check.save(update_fields=["state", "id_number"])
    events.record("parties.identity.answered", seller.party_id, {"verified": matches})


@action
def give_consents(seller_id: UUID, kinds: list[str], version: int = 1) -> None:
    """Record consents one by one; giving one again changes nothing."""
    unknown = [k for k in kinds if k not in rules.CONSENTS]
    if unknown:
        raise Malformed(field="kinds", why=f"unknown consent {unknown[0]}", why_zh=f"没有这一项同意：{unknown[0]}")
    locks.locked(models.Seller.objects.all(), party_id=seller_id)
    standing = set(models.Consent.objects.filter(seller_id=seller_id, withdrawn_at=None).values_list("kind", flat=True))
    for kind in sorted(set(kinds) - standing):
        models.Consent.objects.create(seller_id=seller_id, kind=kind, version=version, given_at=clock.now())
        events.record("parties.consent.given", seller_id, {"kind": kind, "version": version})


@action
def withdraw_consent(seller_id: UUID, kind: str) -> None:
    """Take a consent back, from now on."""
    if models.Consent.objects.filter(seller_id=seller_id, kind=kind, withdrawn_at=None).update(
        withdrawn_at=clock.now()
    ):
        events.record("parties.consent.withdrawn", seller_id, {"kind": kind})


@action
def save_address(seller_id: UUID, city: str, district: str, line: str, lat_e6: int, lng_e6: int) -> UUID:
    """Where the seller wants to be visited; degrees in millionths. Only the assigned courier will see it."""
    if not 4 <= len(line.strip()) <= 120:
        raise Malformed(field="address", why="4 to 120 characters", why_zh="地址请写到门牌")
    row = models.Address.objects.create(
        seller_id=seller_id,
        city=city,
        district=district,
        line=line.strip(),
        at=clock.now(),
        lat_e6=lat_e6,
        lng_e6=lng_e6,
    )
    return row.id


@action
def save_payee(actor: Actor, rail: str, account: str, name: str | None, code: str = "") -> UUID:
    """Where the seller is paid by `rail`: the first one at once, a changed one after a code and 24 hours.

    `name` is whose account it is said to be; None where nobody was asked, so that it is the verified name.

    Raises NotVerified, PayeeNameDiffers, MalformedAccount, WrongCode.
    """
    seller = locks.locked(models.Seller.objects.all(), party_id=actor.party)
    if seller.verification != "verified":
        raise errors.NotVerified()
    if name is not None and name.strip() != seller.name:
        raise errors.PayeeNameDiffers()
    account = rules.account(rail, account)
    at = clock.now()
    usable: datetime = at
    old = models.Payee.objects.filter(seller=seller, rail=rail, ended_at=None).first()
    if old and old.account == account:
        return old.id
    if models.Payee.objects.filter(seller=seller).exists():
        # A changed payee is how accounts are taken over: its own code, then a day in which the owner can object.
        codes.check(Purpose.PAYEE, seller.phone, code, session=actor.session, context=["payee", rail, account])
        usable = at + timedelta(seconds=rules.PAYEE_WAIT_SECONDS)
    if old:
        old.ended_at = at
        old.save(update_fields=["ended_at"])
    payee = models.Payee.objects.create(
        seller=seller, rail=rail, account=account, name=seller.name, created_at=at, usable_from=usable
    )
    events.record("parties.payee.saved", actor.party, {"payee": str(payee.id), "rail": rail})
    return payee.id
