"""Where a recycler quotes live: said by the desk, refused in words, with its answers of the last days."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from tests.domain.market import quoter
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.market import models, queries
from huika.domain.market.queries import owner
from huika.domain.parties import models as people
from huika.faces.desk.firms import answers
from huika.kit import clock

pytestmark = pytest.mark.django_db
URL = "https://quotes.example.com/huika"


def firm(kid: str = "live-1") -> UUID:
    party = ground.recycler(ground.book(("walmart", "*", "electronic", "0.9")), money_fen=0)
    people.SigningKey.objects.create(kid=kid, party_id=party, public_key=quoter.PUBLIC)
    return party


@pytest.fixture
def desk() -> Client:
    return at_desk.signed_in()


def replied(party: UUID, outcome: str, days_ago: int = 0, times: int = 1) -> None:
    at = clock.now() - timedelta(days=days_ago)
    for _ in range(times):
        compared = models.Comparison.objects.create(
            city="shanghai", district="", channel="visit", lines=[], offers=[], at=at, expires_at=at
        )
        models.LiveReply.objects.create(
            rfq=uuid4(), comparison=compared, recycler_id=party, outcome=outcome, took_ms=20, at=at
        )


def test_an_address_is_kept_shown_and_turned_off(desk: Client) -> None:
    party = firm()
    address = f"/desk/recyclers/{party}"
    assert "没有接口，按价目表报" in desk.get(address).content.decode()
    answer = desk.post(f"{address}/endpoint", {"url": URL, "key": "live-1", "on": "1", "once": "1"})
    assert answer.headers["Location"] == f"{address}?live=on#live"
    found = owner.endpoint_of(party)
    assert found is not None and (found.url, found.kid, found.on) == (URL, "live-1", True)
    page = desk.get(f"{address}?live=on").content.decode()
    assert "下一次比价就问它" in page and f'value="{URL}"' in page and 'value="live-1"' in page
    answer = desk.post(f"{address}/endpoint", {"url": URL, "key": "live-1", "once": "2"})
    assert answer.headers["Location"].endswith("?live=off#live")
    off = owner.endpoint_of(party)
    assert off is not None and not off.on
    assert "关着，按价目表报" in desk.get(address).content.decode()


@pytest.mark.parametrize(
    ("url", "key", "status", "zh", "en"),
    [
        ("", "live-1", 422, "网址和密钥号都要填", "give the address and the key"),
        (URL, "", 422, "网址和密钥号都要填", "give the address and the key"),
        (URL, "nobody", 422, "这家没有这个签名密钥", "no such signing key"),
        (URL, "live-2", 422, "这家没有这个签名密钥", "no such signing key"),
        ("ftp://quotes.example.com/x", "live-1", 422, "没有连这个网址", "This address was not called"),
        ("https://10.0.0.7/x", "live-1", 409, "没有连 10.0.0.7", "was not called"),
        ("no address", "live-1", 422, "没有连这个网址", "This address was not called"),
        (f"https://quotes.example.com/{'x' * 400}", "live-1", 422, "网址最多 400 个字符", "at most 400 characters"),
        (URL, "k" * 41, 422, "密钥号最多 40 个", "and 40 of key"),
    ],
)
def test_what_cannot_be_called_is_refused_in_words_and_kept_as_typed(
    desk: Client, url: str, key: str, status: int, zh: str, en: str
) -> None:
    party, _ = firm(), firm("live-2")
    for lang, said in (("zh", zh), ("en", en)):
        answer = desk.post(
            f"/desk/recyclers/{party}/endpoint", {"url": url, "key": key}, headers={"accept-language": lang}
        )
        page = answer.content.decode()
        assert answer.status_code == status and said in page, page[page.find("alert") :][:300]
        assert f'name="url" value="{url}"' in page and f'name="key" value="{key}"' in page
        assert 'id="live" open>' in page and page.count('role="alert"') == 1
        assert 'name="on" value="1">' in page, "not ticked, as it was sent"
    assert owner.endpoint_of(party) is None


def replies_of(page: str) -> str:
    """What the page says of this month's answers."""
    return page[page.index("月怎么答的") if "月怎么答的" in page else page.index("Its answers this month") :]


def test_its_answers_of_this_month_in_words_its_own_faults_apart(desk: Client) -> None:
    party = firm()
    replied(party, "answered", times=3)
    replied(party, "late", times=2)
    replied(party, "sums")
    replied(party, "elsewhere")
    replied(party, "late", days_ago=31)
    replied(firm("live-3"), "late")
    page = desk.get(f"/desk/recyclers/{party}").content.decode()
    for said, n in (("按时答了，用上了", 3), ("报价超过半秒没到", 2), ("各项加起来不等于合计", 1)):
        assert f'{said}</td><td class="r">{n}</td>' in page
    assert page.count('class="hk-warn">报价') == 1 and 'viewBox="0 0 7 8"' in page
    told = replies_of(page)
    mine, others = told.index("它的问题，3 次"), told.index("不是它的问题，1 次")
    assert told.index("按时答了") < mine < told.index("报价超过半秒") < others < told.index("elsewhere")
    english = desk.get(f"/desk/recyclers/{party}", headers={"accept-language": "en"}).content.decode()
    assert "Its parts do not add up." in english and "Answered in time and ranked." in english
    assert "Its own fault, × 3" in english and "Not its fault, × 1" in english
    counts = owner.live_replies(party, clock.now() - timedelta(days=40))
    assert [(c.outcome, c.replies, c.its_fault) for c in counts] == [
        ("answered", 3, False), ("late", 3, True), ("elsewhere", 1, False), ("sums", 1, True),
    ]  # fmt: skip


@pytest.mark.parametrize(("failed", "share", "red"), [(0, "0.0%", False), (1, "5.0%", False), (2, "9.5%", True)])
def test_more_than_five_in_a_hundred_late_or_refused_stand_in_red(
    desk: Client, failed: int, share: str, red: bool
) -> None:
    party = firm()
    owner_of = f"/desk/recyclers/{party}"
    assert "这个月还没问过" in desk.get(owner_of).content.decode()
    replied(party, "answered", times=19)
    replied(party, "late", times=failed)
    replied(party, "elsewhere", times=0 if failed else 3)  # what it cannot mend is not held against it
    page = desk.get(owner_of).content.decode()
    assert f'f-late{" hk-bad" if red else ""}"><b>{share}</b>' in page and ("超过 5%" in page) is red
    heading = page[page.index('id="live"') : page.index("<form", page.index('id="live"'))]
    assert ('class="hk-bad"' in heading) is red and ("迟到、没采信" in heading) is bool(failed)


def test_a_month_begins_in_shanghai(desk: Client) -> None:
    party = firm()
    found = answers.this_month(party)
    start, end = queries.month_bounds(found.first)
    assert start <= clock.now() < end and (found.asked, found.failed_share, found.too_many) == (0, "", False)
