"""The public pages: what they say, in which language, and what they never say."""

import csv
import io
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.test import Client
from tests.faces.market.shop import MARKUP, Shop, samples

from huika.domain.catalog import queries as catalog
from huika.domain.insight import queries as insight
from huika.faces.market import words

PAGES = ("/compare", "/kinds", "/kinds/walmart", "/kinds/carrefour", "/kinds/cnpc-ic", "/standard", "/proof", "/about")
HAN = re.compile("[\u4e00-\u9fff]")


def text(client: Client, path: str, lang: str = "zh") -> str:
    client.cookies["hk-lang"] = lang
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def plain(html: str) -> str:
    """The words of a page."""
    body = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_both_languages_the_elder_view_and_no_inline_code(
    shop: Shop, visited: None, client: Client, path: str
) -> None:
    english = text(client, path, "en")
    without = re.sub(r'<[^>]*(lang="zh-CN"|data-lang)[^>]*>[^<]*', "", english)
    assert not HAN.search(plain(without)), HAN.findall(plain(without))
    assert 'lang="en"' in english and "view=care" in english and "lang=zh" in english
    chinese = text(client, path)
    assert 'lang="zh-CN"' in chinese and ">长辈版<" in chinese and "lang=en" in chinese
    for html in (english, chinese):
        assert not re.search(r"\sstyle=|\son\w+=\"|javascript:", html)
    client.cookies["hk-view"] = "care"
    assert 'data-mode="care"' in text(client, path)


@pytest.mark.parametrize("path", ("/compare", "/compare.csv", "/standard", "/kinds", "/about", "/proof"))
def test_no_rival_is_named(shop: Shop, visited: None, client: Client, path: str) -> None:
    kinds = " ".join(k.name_zh + k.name_en for k in catalog.kinds())
    for lang in ("zh", "en"):
        said = text(client, path, lang)
        for claim in catalog.platform_claims():
            for name in (claim.name_zh, claim.name_en, claim.slug):
                if name not in kinds:
                    assert name not in said, (path, name)


def test_the_table_holds_every_number_of_the_figures(visited: None, db: None, client: Client) -> None:
    said = plain(text(client, "/compare"))
    for m in insight.rules.measure("ecommerce", samples()), insight.rules.measure("vertical", samples()):
        assert m.share.value is not None and m.share.low is not None and m.share.high is not None
        assert f"{m.share.value / 100:.1f}" in said
        assert f"{m.share.low / 100:.1f}–{m.share.high / 100:.1f}" in said
        assert f"{m.requoted.hits}/{m.requoted.n} 次" in said
    for claim in ("85–92", "90–95", "93–97", "60–120 分", "当场", "低于 0.5%", "1.2%", "5–8%"):
        assert claim in said


def test_few_samples_have_an_interval_and_no_dot(visited: None, db: None, client: Client) -> None:
    html = text(client, "/compare")
    assert html.count('<circle class="mid"') == 4 * 2 + 1  # two kinds in four figures, and the key
    assert html.count('<rect class="meas"') == 4 * 3 + 1
    assert "本地门店样本太少。" in html
    assert "演示数据" in html


def test_a_page_without_a_single_visit_says_so(counted_anew: None, db: None, client: Client, settings: Any) -> None:
    settings.SETTING = "production"
    said = plain(text(client, "/compare"))
    assert "这里还没有结束的上门" in said and "演示数据" not in said
    assert said.count("还没有") >= 9 and "三类样本都还太少" in said
    assert rows(client.get("/compare.csv")) == []


def test_every_sample_can_be_downloaded_with_its_leaf(visited: None, db: None, client: Client) -> None:
    answer = client.get("/compare.csv")
    assert answer["Content-Type"].startswith("text/csv")
    found = rows(answer)
    assert len(found) == len(samples())
    assert set(found[0]) == {
        "kind", "leaf", "day", "city", "cards", "sold", "share_bp", "wait_seconds", "requoted",
    }  # fmt: skip
    unsold = next(r for r in found if r["sold"] == "0")
    assert unsold["share_bp"] == unsold["wait_seconds"] == ""


def shown(client: Client, path: str) -> dict[str, tuple[int, str]]:
    """Kind of platform → (visits, measured share) of the first figure, as the page is asked for."""
    context = client.get(path).context
    return {bar.kind: (bar.n, bar.shown or bar.between) for bar in context["share"][1]}


def test_a_city_or_a_kind_of_card_changes_what_was_measured_and_the_parts_sum(
    visited: None, db: None, client: Client
) -> None:
    whole = shown(client, "/compare")
    for name, values in (("city", ("shanghai", "suzhou")), ("kind", ("walmart", "jd-ecard"))):
        parts = [shown(client, f"/compare?{name}={value}") for value in values]
        for platform, (n, _) in whole.items():
            assert sum(part[platform][0] for part in parts) == n
        assert parts[0] != whole != parts[1] and parts[0] != parts[1]
    both = text(client, "/compare?city=suzhou&kind=jd-ecard")
    assert "量到的只算" in both and 'href="/compare.csv?city=suzhou&amp;kind=jd-ecard"' in both
    asked = client.get("/compare?city=suzhou&kind=jd-ecard").context
    picked = [s for s in samples() if s.city == "suzhou" and s.cards[0].kind == "jd-ecard"]
    assert asked["visits"] == len(picked) == len(rows(client.get("/compare.csv?city=suzhou&kind=jd-ecard")))
    for row in asked["rows"]:
        assert row.measured == insight.rules.measure(row.kind, picked)
        assert row.claimed == client.get("/compare").context["rows"][asked["rows"].index(row)].claimed


def test_only_what_was_measured_is_offered_and_anything_else_is_the_whole(
    visited: None, db: None, client: Client
) -> None:
    html = text(client, "/compare")
    assert 'href="/compare?kind=walmart"' in html and 'href="/compare?city=shanghai"' in html
    assert "kind=hema" not in html
    kept = text(client, "/compare?city=shanghai")
    assert 'href="/compare?city=shanghai&amp;kind=walmart"' in kept and 'href="/compare"' in kept
    whole = shown(client, "/compare")
    for wrong in ("city=atlantis", "kind=hema", "kind=%3Cscript%3E", "city=&kind="):
        assert shown(client, f"/compare?{wrong}") == whole
        assert len(rows(client.get(f"/compare.csv?{wrong}"))) == len(samples())


def test_few_samples_of_a_filter_have_an_interval_alone(visited: None, db: None, client: Client) -> None:
    [few] = [m for m in client.get("/compare?city=suzhou").context["rows"] if m.kind == "local"]
    assert 0 < few.measured.share.n < 30
    html = text(client, "/compare?city=suzhou")
    assert "本地门店样本太少。" in html
    assert f"{few.measured.share.value / 100:.1f}</b>" not in html


def test_claims_say_their_cities_and_their_day_and_no_name(
    visited: None, db: None, client: Client, monkeypatch: Any
) -> None:
    said = plain(text(client, "/compare"))
    for claim in catalog.platform_claims():
        assert claim.cities_zh in said
    assert "没写日期" in said
    english = plain(text(client, "/compare", "en"))
    assert "30+ (Hong Kong, Macau and Taiwan included)" in english and "no date given" in english
    dated = [replace(c, claimed_on=date(2026, 3, 9)) if c.share_high_bp else c for c in catalog.platform_claims()]
    monkeypatch.setattr(catalog, "platform_claims", lambda: tuple(dated))
    later = plain(text(client, "/compare"))
    assert "2026-03-09" in later and "自称的数最晚记于 2026-03-09，2 条没写日期。" in later


def test_every_measure_and_claim_is_drawn_and_in_a_table(visited: None, db: None, client: Client) -> None:
    html = text(client, "/compare")
    assert html.count('<div class="plot">') == 6
    for heading in ("没卖成几次", "多久来人，自称", "投诉几单，自称"):
        assert heading in html
    assert html.count('class="cmp') == 2


@pytest.mark.parametrize("q", ["沃尔玛", "woerma", "wem", "WEM", "walmart"])
def test_a_kind_is_found_by_name_pinyin_and_initials(shop: Shop, client: Client, q: str) -> None:
    html = text(client, f"/kinds?q={q}")
    assert html.index("/kinds/walmart") < (html.find('href="/kinds/sams-club') % 10**9)
    assert "93.6%" in html and "3 家在收" in html and "88%–94%" in html


def test_what_is_not_found_is_no_dead_end(shop: Shop, client: Client) -> None:
    html = text(client, "/kinds?q=%3Cscript%3Ex")
    assert "没找到「&lt;script&gt;x」" in html and "<script>x" not in html
    assert 'href="/kinds"' in html and 'href="tel:' in html


def test_a_filter_is_an_address_and_the_file_says_the_same(shop: Shop, client: Client) -> None:
    for only in ("lock", "swap", "asked", "refused"):
        html = text(client, f"/kinds?only={only}")
        listed = re.findall(r'<a href="/kinds/([\w-]+)"', html)
        assert listed == [r["slug"] for r in rows(client.get(f"/kinds.csv?only={only}"))]
        assert 0 < len(listed) < len(catalog.kinds())
    assert {"carrefour", "gome", "steam", "cnpc-ic", "sinopec-ic"} == set(
        re.findall(r'<a href="/kinds/([\w-]+)"', text(client, "/kinds?only=refused"))
    )
    assert len(rows(client.get("/kinds.csv"))) == len(catalog.kinds())
    assert text(client, "/kinds?only=nonsense&city=nowhere&q=%F0%9F%99%82")


def test_a_refused_kind_has_its_reason_and_ways_on(shop: Shop, client: Client) -> None:
    html = text(client, "/kinds/carrefour")
    assert "发卡方多家门店停业" in html and "不是你的卡有问题" in html and "96110" in html
    assert "/sell/carrefour" not in html and 'href="/kinds/jd-ecard"' in html
    assert "要发卡方过户，上门办不了" in text(client, "/kinds/cnpc-ic").replace("它要", "要")
    assert client.get("/kinds/nothing-of-the-kind").status_code == 404


def test_the_best_price_is_the_best_of_the_live_books(shop: Shop, client: Client) -> None:
    html = text(client, "/kinds/walmart")
    assert re.search(r'class="big">93\.6%', html) and "/sell/walmart" in html
    assert html.index("93.6%") < html.index("93.1%")
    assert "骗子常让人买这种卡" in text(client, "/kinds/apple")


def test_a_recycler_s_name_stays_words(shop: Shop, client: Client) -> None:
    html = text(client, "/kinds/walmart")
    assert MARKUP not in html and "&lt;img src=x" in html


def test_sources_name_no_site_and_have_both_languages(db: None, client: Client) -> None:
    for row in (*catalog.limits(), *catalog.reason_codes()):
        assert row.source in words.SOURCES_ZH, row.source
    for kind in catalog.kinds():
        assert not re.search(r"\w\.(com|cn|net)\b", words.source(kind.source)), kind.source
    assert 'lang="en"' in text(client, "/kinds/walmart")


def test_the_standard_names_every_reason_and_limit_with_its_maximum(shop: Shop, client: Client) -> None:
    said = plain(text(client, "/standard"))
    for reason in catalog.reason_codes():
        assert reason.zh in said
    for limit in catalog.limits():
        assert limit.zh in said and words.amount(limit) in said
    assert "面值的 10%" in said and "少多少扣多少" in said and "最多 ¥1,000" in said
    assert "96110" in said and "不收押金" in said
    assert "每次 ¥32" in said and "收价的 0.5%" in said


def test_the_log_shows_its_newest_leaves_and_nobody(shop: Shop, client: Client) -> None:
    html = text(client, "/proof")
    said = plain(html)
    assert "一单报价" in said and "一笔付款到账" in said and "trade.card.credited" in said
    assert str(shop.order) not in html and "468000" not in html and "HK-4826" not in html


def test_an_empty_log_says_so(db: None, client: Client) -> None:
    assert "日志还是空的" in text(client, "/proof")
    assert client.get("/proof/verify.html").status_code == 200


def test_only_reading_is_possible(db: None, client: Client) -> None:
    for path in (*PAGES, "/compare.csv", "/kinds.csv", "/proof/verify.html"):
        assert client.post(path).status_code in (403, 405)
        assert client.head(path).status_code == 200


def test_one_shop_of_its_own_says_so(db: None, client: Client, settings: Any) -> None:
    settings.MODE = "own"
    assert "自营，一家店" in text(client, "/about")
    settings.MODE, settings.SETTING = "market", "production"
    about = text(client, "/about")
    assert "市场，多家商家" in about and settings.SANDBOX_URL not in about and "96110" in about
