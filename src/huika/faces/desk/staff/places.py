"""Addresses: where passkeys work, where a role's work is, where it is safe to go on to."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from huika.domain.parties.types import Role

HOMES = {Role.DESK: "/desk/", Role.COURIER: "/courier/"}


def rp_id() -> str:
    """The name that passkeys are bound to: the site's host."""
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def origin(request: HttpRequest) -> str:
    """The address this request came to; a passkey's answer given at another one is refused."""
    host = request.get_host()
    # A proxy in front ends HTTPS: under the site's own name its own scheme holds.
    secure = request.is_secure() or (settings.SECURE and host.partition(":")[0] == rp_id())
    return f"{'https' if secure else 'http'}://{host}"


def passkeys_work(request: HttpRequest) -> bool:
    """Whether a browser offers passkeys here: under the site's own name, by HTTPS or on this machine."""
    here = urlsplit(origin(request))
    host = here.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == rp_id() and (here.scheme == "https" or host == "localhost")
    return False


def home(role: Role) -> str:
    """Where this role's work is."""
    return HOMES.get(role, "/staff/")


def safe_next(request: HttpRequest) -> str:
    """The page that was asked for before signing in, when it is one of ours; empty otherwise."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours and not wanted.startswith("/staff/sign-in") else ""
