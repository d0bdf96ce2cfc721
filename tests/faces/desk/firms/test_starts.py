"""A book that counts from a later day: said beside the publish button, refused there, shown until it counts."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.http import HttpResponse
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.market import models, queries
from huika.kit import clock

pytestmark = pytest.mark.django_db
OLD = ground.book(("walmart", "*", "electronic", "0.9000"))
NEW = ground.book(("walmart", "*", "electronic", "0.9100"))
HAN = re.compile("[\u4e00-\u9fff]")


class At:
    """A desk person before one recycler's book."""

    def __init__(self, text: str = OLD) -> None:
        self.client = at_desk.signed_in()
        self.party: UUID = ground.recycler(text, money_fen=0)
        self.address = f"/desk/recyclers/{self.party}"

    def publish(self, starts: str, text: str = NEW, lang: str = "zh") -> HttpResponse:
        preview = self.client.post(f"{self.address}/book", {"list": text}).content.decode()
        return self.again(preview, starts, lang)

    def again(self, preview: str, starts: str, lang: str = "zh") -> HttpResponse:
        fields = dict(re.findall(r'<input type="hidden" name="(once|book)" value="([^"]*)"', preview))
        body = {**fields, "effective_from": starts}
        return self.client.post(f"{self.address}/book/publish", body, headers={"accept-language": lang})

    def page(self, query: str = "", lang: str = "zh") -> str:
        return str(self.client.get(f"{self.address}{query}", headers={"accept-language": lang}).content.decode())

    @property
    def live(self) -> tuple[int, int]:
        book = queries.book_in_effect(self.party)
        assert book is not None
        return book.version, queries.price_rows(book.id)[0].ratio_bp


def local(ahead: timedelta) -> str:
    """A moment as the browser's field writes it, in Shanghai."""
    return f"{clock.now().astimezone(clock.SHANGHAI) + ahead:%Y-%m-%dT%H:%M}"


@pytest.fixture
def at() -> At:
    return At()


def test_a_book_from_a_later_day_waits_and_is_shown_until_it_counts(at: At) -> None:
    starts = local(timedelta(days=2))
    answer = at.publish(starts)
    assert answer.headers["Location"] == f"{at.address}?published=2"
    [coming] = queries.books_to_come(at.party)
    assert (coming.version, coming.rows) == (2, 1)
    assert coming.effective_from == datetime.fromisoformat(starts).replace(tzinfo=clock.SHANGHAI)
    assert at.live == (1, 9000)
    page = at.page("?published=2")
    assert "第 2 版排好了，后天" in page and "还没生效的" in page and "第 2 版已生效" not in page
    english = at.page("?published=2", "en")
    assert (
        re.search(r"Version 2 is set: it counts from \w{3} \d+ \w{3} \d\d:\d\d", english) and "Still to come" in english
    )
    with clock.shifted(timedelta(days=2, minutes=1)):
        assert at.live == (2, 9100)
        assert queries.books_to_come(at.party) == [] and "还没生效的" not in at.page()


def test_empty_is_now(at: At) -> None:
    assert at.publish("").status_code == 302
    assert at.live == (2, 9100) and queries.books_to_come(at.party) == []


@pytest.mark.parametrize(
    ("ahead", "typed", "zh", "en"),
    [
        (timedelta(hours=-1), "", "从现在起 60 天以内", "from now on, within 60 days"),
        (timedelta(days=61), "", "从现在起 60 天以内", "from now on, within 60 days"),
        (None, "tomorrow <b>", "写成 2026-12-01T08:00 这样", "write the time like 2026-12-01T08:00"),
        (None, "2026-13-01T08:00", "写成 2026-12-01T08:00 这样", "write the time like 2026-12-01T08:00"),
        (None, "2026-12-01", "写成 2026-12-01T08:00 这样", "write the time like 2026-12-01T08:00"),
        (None, "2026-12-01T08:00+08:00", "写成", "write the time"),
    ],
)
def test_a_time_that_cannot_be_is_refused_beside_the_field_and_nothing_is_lost(
    at: At, ahead: timedelta | None, typed: str, zh: str, en: str
) -> None:
    typed = local(ahead) if ahead else typed
    for lang, said in (("zh", zh), ("en", en)):
        answer = at.publish(typed, lang=lang)
        page = answer.content.decode()
        assert answer.status_code == 422 and "<b>" not in page.split("starts-how")[0].rpartition("effective_from")[2]
        assert re.search(rf'id="starts-how" role="alert">[^<]*{re.escape(said)}', page), page[-2500:]
        shown = typed.replace("<", "&lt;").replace(">", "&gt;")
        assert f'name="effective_from" value="{shown}"' in page and 'aria-invalid="true"' in page
        assert page.count('role="alert"') == 1
        if lang == "en":
            assert not HAN.search(re.sub(r'lang="zh-CN"[^<]*>中<', "", page).replace("Recycler", ""))
    assert models.Book.objects.filter(recycler_id=at.party).count() == 1
    assert at.again(page, local(timedelta(days=1))).status_code == 302, "the preview is still good"
    assert [b.version for b in queries.books_to_come(at.party)] == [2]


def test_a_book_that_changed_meanwhile_keeps_the_time_that_was_typed(at: At) -> None:
    preview = at.client.post(f"{at.address}/book", {"list": NEW}).content.decode()
    ground.publish(at.party, ground.book(("walmart", "*", "electronic", "0.95")))
    starts = local(timedelta(days=3))
    answer = at.again(preview, starts)
    assert answer.status_code == 409 and f'value="{starts}"' in answer.content.decode()


def test_the_preview_says_which_version_takes_over_then(at: At) -> None:
    at.publish(local(timedelta(days=1)))
    page = at.client.post(f"{at.address}/book", {"list": NEW}).content.decode()
    assert "第 2 版，明天" in page and "发布第 3 版" in page


def test_terms_can_still_be_changed_while_a_book_is_to_come(at: At) -> None:
    at.publish(local(timedelta(days=1)))
    page = at.page()
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None and version[1] == "2" and "发布第 3 版" in page
    body = {"version": version[1], "once": "1", "cards": "4"}
    answer = at.client.post(f"{at.address}/terms", body)
    assert answer.headers["Location"] == f"{at.address}?published=3"
    assert at.live == (3, 9000) and "第 3 版已生效" in at.page("?published=3")
    with clock.shifted(timedelta(days=1, minutes=1)):
        book = queries.book_in_effect(at.party)
        assert book is not None and (book.terms.least_cards, at.live[1]) == (4, 9100)


def test_a_first_book_from_later_is_shown_where_none_counts_yet() -> None:
    at = At("")
    assert at.publish(local(timedelta(days=1))).status_code == 302
    page = at.page("?published=1")
    assert "第 1 版排好了" in page and "还没生效的" in page and "还没有价目表" in page


def test_an_older_number_that_counts_last_is_no_dead_end(at: At) -> None:
    at.publish(local(timedelta(days=1)))  # version 2, from tomorrow
    ground.publish(at.party, OLD)  # version 3, now
    with clock.shifted(timedelta(days=1, minutes=1)):
        assert at.live[0] == 2
        version = re.search(r'name="version" value="(\d+)"', at.page())
        assert version is not None
        refused = at.client.post(f"{at.address}/terms", {"version": version[1], "once": "1", "cards": "4"})
        assert refused.status_code == 409
        knows = re.search(r'name="version" value="(\d+)"', refused.content.decode())
        assert (
            knows is not None
            and knows[1] == "3"
            and 'name="cards" inputmode="numeric" value="4"' in (refused.content.decode())
        )
        again = at.client.post(f"{at.address}/terms", {"version": "3", "once": "2", "cards": "4"})
        assert again.status_code == 302 and at.live[0] == 4
