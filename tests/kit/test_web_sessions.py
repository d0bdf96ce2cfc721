"""Sessions of browsers that have run out are swept; the others stay."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from huika.kit import clock, jobs


@pytest.mark.django_db
def test_only_what_has_run_out_is_forgotten() -> None:
    at = clock.now()
    for name, ends in (("old", at - timedelta(hours=1)), ("new", at + timedelta(hours=1))):
        Session.objects.create(session_key=name, session_data="", expire_date=ends)
    jobs.REGISTRY["kit.forget_web_sessions"]()
    assert [s.session_key for s in Session.objects.all()] == ["new"]
