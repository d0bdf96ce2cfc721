"""What the desk does about people: callers without a login, new couriers."""

import re
from uuid import UUID

from huika.domain.parties import errors, models
from huika.domain.parties.actions.people import enrol, ensure_courier, ensure_staff, telephone_seller
from huika.domain.parties.types import Role
from huika.kit import locks
from huika.kit.change import action
from huika.kit.refusals import Malformed

_BADGE = re.compile(r"[A-Z0-9-]{2,20}")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,59}")


@action
def enrol_caller(phone_text: str, name: str, id_number: str, consents: list[str]) -> UUID:
    """A caller says who they are: known by phone, the consents given, the name sent to be verified; the seller.

    Raises MalformedPhone, ConsentMissing, Malformed, MalformedIdNumber.
    """
    seller = telephone_seller(phone_text)
    enrol(seller, name, id_number, consents)
    return seller


@action
def enrol_courier(name: str, badge: str, phone_text: str, username: str, password: str) -> UUID:
    """A new courier with a login of their own; their party. Raises BadgeTaken, LoginTaken, Malformed, MalformedPhone.

    An account that exists is never given a new password this way: it would be somebody else's.
    """
    name, badge, username = name.strip(), badge.strip().upper(), username.strip().lower()
    if not 2 <= len(name) <= 40:
        raise Malformed(field="name", why="2 to 40 characters", why_zh="姓名 2 到 40 个字")
    if not _BADGE.fullmatch(badge):
        raise Malformed(
            field="badge", why="letters, digits and hyphens, 2 to 20", why_zh="工号用字母、数字和短横，2 到 20 位"
        )
    if not _LOGIN.fullmatch(username):
        raise Malformed(
            field="username", why="3 to 60 small letters, digits, dots", why_zh="登录名用小写字母和数字，3 到 60 位"
        )
    locks.transaction_lock("parties.enrol_courier")
    if models.Courier.objects.filter(badge=badge).exists():
        raise errors.BadgeTaken(badge=badge)
    if models.User.objects.filter(username=username).exists():
        raise errors.LoginTaken(username=username)
    party = ensure_courier(name, badge, phone_text)
    ensure_staff(username, Role.COURIER, password, party)
    return party
