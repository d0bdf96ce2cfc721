"""Days as addresses name them."""

from datetime import date, timedelta

import pytest

from huika.faces.pages import dates
from huika.faces.pages.dates import NoFile, WrongDay
from huika.kit import clock


def test_days() -> None:
    now = dates.today()
    assert dates.day("", now) == dates.day("today", date(2026, 1, 1)) == now
    assert dates.day("yesterday", now) == now - timedelta(days=1) and dates.day("2026-05-20", now) == date(2026, 5, 20)
    for text in ("soon", "2026-02-30", "2019-12-31", "9999-12-31", str(now + timedelta(days=1)), "2026-05-20x", "５"):
        with pytest.raises(WrongDay):
            dates.day(text, now)


def test_spans() -> None:
    now = dates.today()
    assert dates.span("", "", 30) == (now - timedelta(days=30), now)
    assert dates.span("", "2026-05-20", 10) == (date(2026, 5, 10), date(2026, 5, 20))
    assert dates.span("", "2020-01-05", 90) == (dates.EARLIEST, date(2020, 1, 5))
    for first, last in (("2026-05-21", "2026-05-20"), ("2025-01-01", "2026-05-20")):
        with pytest.raises(WrongDay):
            dates.span(first, last, 30, 366)


def test_months_and_moments() -> None:
    assert dates.month("") == dates.today().replace(day=1) and dates.month("2026-05") == date(2026, 5, 1)
    for text in ("2026-13", "2026", "may", "2019-12", "2100-01", "2026-W1"):
        with pytest.raises(WrongDay):
            dates.month(text)
    assert dates.moment("2026-05-20T18:00").utcoffset() == timedelta(hours=8)
    assert dates.moment("2026-05-20T18:00+00:00").tzinfo is not None and dates.moment("") <= clock.now()
    for text in ("x", "9999-12-31T23:59", "0001-01-01T00:00", "2019-01-01T00:00"):
        with pytest.raises(WrongDay):
            dates.moment(text)


def test_a_file_is_refused_as_a_request() -> None:
    with pytest.raises(NoFile) as refused, dates.of_file():
        dates.day("soon", dates.today())
    assert refused.value.status == 400 and "2026-05-20" in refused.value.message_zh
