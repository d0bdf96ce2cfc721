"""Changes of state in `parties`, by theme."""

from huika.domain.parties.actions.people import (
    ensure_courier,
    ensure_recycler,
    ensure_staff,
    give_consents,
    identity_answered,
    save_address,
    save_payee,
    submit_identity,
    telephone_seller,
    withdraw_consent,
)
from huika.domain.parties.actions.sessions import (
    check_bound_code,
    code_sent,
    end_session,
    issue_visit_code,
    request_login_code,
    request_payee_code,
    send_bound_code,
    sign_in,
    sign_in_staff,
    use_nonce,
)

__all__ = [
    "check_bound_code",
    "code_sent",
    "end_session",
    "ensure_courier",
    "ensure_recycler",
    "ensure_staff",
    "give_consents",
    "identity_answered",
    "issue_visit_code",
    "request_login_code",
    "request_payee_code",
    "save_address",
    "save_payee",
    "send_bound_code",
    "sign_in",
    "sign_in_staff",
    "submit_identity",
    "telephone_seller",
    "use_nonce",
    "withdraw_consent",
]
