"""What stands between a password and an open session."""

from allauth.account.stages import LoginStage
from django.http import HttpResponse, HttpResponseRedirect

from huika.domain.parties import queries as people


class EnrolStage(LoginStage):  # type: ignore[misc]  # allauth has no types
    """Desk and regulator enrol a passkey before anything opens."""

    key = "enrol"
    urlname = "staff_enrol"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Lead there whoever must have a passkey and has none."""
        login = people.staff(self.login.user.pk)
        if login.needs_passkey and not login.passkeys:
            return HttpResponseRedirect("/staff/enrol"), True
        return None, True
