"""URLs of this part of the desk. Of django-allauth's own pages none is mounted; names are where it leads."""

from django.urls import path

from huika.faces.desk.staff import account, entry, two_people

urlpatterns = [
    path("sign-in", entry.sign_in, name="account_login"),
    path("sign-in/options", entry.passkey_options),
    path("sign-in/passkey", entry.sign_in_by_passkey),
    path("second", entry.second, name="mfa_authenticate"),
    path("enrol", entry.enrol, name="staff_enrol"),
    path("link/<str:token>", account.link),
    path("", account.account),
    path("confirm", account.confirm),
    path("passkeys/add", account.add),
    path("passkeys/<int:passkey>/rename", account.rename),
    path("passkeys/<int:passkey>/remove", account.remove),
    path("devices/<int:device>/end", account.end_device),
    path("sign-out", entry.sign_out),
    path("sign-out-everywhere", entry.sign_out_everywhere),
    path("colleagues", two_people.colleagues),
    path("colleagues/<uuid:user>/recover", two_people.recover),
    path("approvals", two_people.waiting),
    path("approvals/<uuid:approval>", two_people.one),
]
