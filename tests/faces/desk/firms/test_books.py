"""Changing a book: what is previewed is what is published, and nothing else."""

import html
import io
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.market import actions, models, queries
from huika.domain.market.types import Terms
from huika.faces.desk.firms import reading
from huika.kit import clock

pytestmark = pytest.mark.django_db
HEAD = "kind,face_value,city,form,condition,channel,ratio"
OLD = ground.book(
    ("walmart", "*", "electronic", "0.9000"),
    ("walmart", "500", "electronic", "0.9100"),
    ("hema", "*", "electronic", "0.8"),
)
NEW = "\n".join([
    HEAD, "walmart,*,shanghai,electronic,intact,visit,0.8700", "walmart,500,shanghai,electronic,intact,visit,0.9150",
    "hema,1000,shanghai,electronic,intact,visit,0.81", "",
])  # fmt: skip


class At:
    """A desk person before one recycler's book."""

    def __init__(self) -> None:
        self.client = at_desk.signed_in()
        self.party = ground.recycler(OLD, money_fen=0)
        self.address = f"/desk/recyclers/{self.party}/book"

    def send(self, text: str = "", file: tuple[str, bytes] | None = None, **headers: str) -> object:
        upload = {"file": SimpleUploadedFile(file[0], file[1])} if file else {}
        return self.client.post(self.address, {"list": text, **upload}, headers=headers)

    def publish(self, preview: object, **changed: str) -> object:
        text = preview.content.decode()
        fields = dict(re.findall(r'<input type="hidden" name="(once|book)" value="([^"]*)"', text))
        to = re.search(r'<form class="bot" method="post" action="([^"]+)"', text)
        return self.client.post(to[1] if to else f"{self.address}/publish", {**fields, **changed})

    @property
    def live(self) -> list[tuple[object, ...]]:
        book = queries.book_in_effect(self.party)
        assert book is not None
        return list(queries.price_rows(book.id).values_list("kind", "face_value_fen", "ratio_bp"))

    @property
    def versions(self) -> int:
        return models.Book.objects.filter(recycler_id=self.party).count()


@pytest.fixture
def at() -> At:
    return At()


def test_the_preview_says_what_changes_and_publishes_exactly_that(at: At) -> None:
    preview = at.send(NEW)
    page = preview.content.decode()
    assert (preview.status_code, at.versions) == (200, 1)
    assert at.live[0] == ("walmart", None, 9000), "nothing is published by looking"
    figures = re.findall(r'<dd class="fig(?: hk-warn)?">(\d+)</dd>', page)
    assert figures == ["3", "1", "1", "1", "1", "0"]  # rows, fall, change, added, removed, same
    falls = page.index("降超过 2%")
    assert "9 折" in page[falls:] and "8.7 折" in page[falls:] and "−3.00" in page and "+0.50" in page
    answer = at.publish(preview)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/desk/recyclers/{at.party}?published=2")
    assert at.live == [("walmart", None, 8700), ("walmart", 500_00, 9150), ("hema", 1000_00, 8100)]
    assert "第 2 版已生效" in at.client.get(answer.headers["Location"]).content.decode()


def test_a_double_tap_publishes_once(at: At) -> None:
    preview = at.send(NEW)
    assert at.publish(preview).status_code == at.publish(preview).status_code == 302
    assert at.versions == 2


def test_a_book_that_changed_meanwhile_is_refused_and_shown_again(at: At) -> None:
    preview = at.send(NEW)
    ground.publish(at.party, ground.book(("walmart", "*", "electronic", "0.95")))
    again = at.publish(preview)
    page = again.content.decode()
    assert (again.status_code, at.versions) == (409, 2)
    assert "已经有第 2 版了" in page and "9.5 折" in page, "compared with what is in effect now"
    assert at.publish(again).status_code == 302
    assert at.live[0] == ("walmart", None, 8700) and at.versions == 3


def test_nobody_can_publish_what_was_not_previewed(at: At) -> None:
    preview, other = at.send(NEW), At()
    token = re.search(r'name="book" value="([^"]+)"', preview.content.decode())
    assert token is not None
    body, _, mark = token[1].rpartition(":")
    forged = f"{body[:-2]}xx:{mark}"
    for book in ("", "nonsense", forged):
        assert at.publish(preview, book=book).status_code == 409
    assert other.publish(other.send(NEW), book=token[1]).status_code == 409, "a preview for another recycler"
    colleague = at_desk.signed_in("desk2")
    assert colleague.post(f"{at.address}/publish", {"book": token[1], "once": "1"}).status_code == 409
    assert (at.versions, other.versions) == (1, 1)


def test_an_old_preview_is_shown_once_more_and_its_list_is_not_lost(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = at.send(NEW)
    ground.publish(at.party, ground.book(("walmart", "*", "electronic", "0.95")))
    with monkeypatch.context() as later:
        later.setattr(reading, "KEPT_SECONDS", -1)
        again = at.publish(preview)
    page = again.content.decode()
    assert again.status_code == 409 and "没有发布" in page and "9.5 折" in page, "held against what counts now"
    assert at.versions == 2
    assert at.publish(again).status_code == 302 and at.live[0] == ("walmart", None, 8700)


def test_paused_stays_paused(at: At) -> None:
    ground.publish(at.party, OLD, paused=True)
    at.publish(at.send(NEW))
    book = queries.book_in_effect(at.party)
    assert book is not None and book.paused and book.version == 3


BAD = [
    ("nobody,1000,shanghai,electronic,intact,visit,0.9", "不认识", "unknown kind"),
    ("walmart,1000,atlantis,electronic,intact,visit,0.9", "不认识", "unknown city"),
    ("walmart,=1+1,shanghai,electronic,intact,visit,0.9", "有公式", "formula"),
    ("walmart,@SUM(A1),shanghai,electronic,intact,visit,0.9", "有公式", "formula"),
    ("walmart,10.005,shanghai,electronic,intact,visit,0.9", "面值不对", "bad face value"),
    ("walmart,1000,shanghai,electronic,intact,visit,1.3", "不超过 1.2", "at most 1.2"),
    ("walmart,1000,shanghai,electronic,intact,visit,0.93601", "四位小数", "four decimals"),
    ("walmart,500,shanghai,electronic,intact,visit,0.9", "第 2 行是同一格", "Same cell as row 2"),
    ("walmart,1000,shanghai,electronic,intact,visit", "折扣率", "ratio"),
    ("walmart,1000,shanghai,electronic,intact,visit,0.9,more", "列数不对", "number of columns"),
]


@pytest.mark.parametrize(("row", "zh", "en"), BAD)
def test_one_bad_row_and_nothing_can_be_published(at: At, row: str, zh: str, en: str) -> None:
    good = "walmart,500,shanghai,electronic,intact,visit,0.9"
    text = f"{HEAD}\n{good}\n\n{row}\n"
    preview = at.send(text)
    page = preview.content.decode()
    assert preview.status_code == 422
    assert '<td class="t">4</td>' in page and zh in page, page[-3000:]
    assert 'name="book"' not in page and "publish" not in page
    english = at.send(text, **{"accept-language": "en"}).content.decode()
    assert en in english.replace("&#x27;", "'")
    assert at.versions == 1


def test_a_signed_token_for_a_bad_book_publishes_nothing(at: At) -> None:
    """Even with our own signature: the book is read again when it is published."""
    desk_party = at_desk.party_of("desk1")
    token = reading.keep(at.party, desk_party, 1, f"{HEAD}\nnobody,1,shanghai,electronic,intact,visit,0.9\n")
    answer = at.client.post(f"{at.address}/publish", {"book": token, "once": "1"})
    assert (answer.status_code, at.versions) == (422, 1)


def field(page: str) -> str:
    """The text of the one text field, as a browser reads it: the line break after the tag is not part of it."""
    (found,) = re.findall(r'<textarea[^>]* name="list"[^>]*>\n(.*?)</textarea>', page, re.S)
    return html.unescape(found)


def wrong(page: str) -> list[tuple[int, str]]:
    """(number, what stands in it) of each wrong row."""
    rows = re.findall(r'<tr><td class="t">(\d+)</td><td>[^<]*</td><td class="f-line">([^<]*)</td>', page)
    return [(int(number), html.unescape(text)) for number, text in rows]


PASTED = [
    f"{HEAD}\nwalmart,500,shanghai,electronic,intact,visit,0.9\n\nwallmart,1000,shanghai,electronic,intact,visit,0.9",
    f"{HEAD}\r\n\r\n\r\nwalmart,1000,shanghai,electronic,intact,visit,9.2\r\n",
    "面值\t卡种\t城市\t形式\t成色\t方式\t折扣率\n\n任意\t沃尔马\t上海市\t电子\t完好\t上门\t0.87\n",
    f"\n\n{HEAD}\nwalmart,1000,shanghai,electronic,intact,visit,0.9\n",
]


@pytest.mark.parametrize("text", PASTED)
def test_a_pasted_list_with_wrong_rows_is_mended_where_it_stands(at: At, text: str) -> None:
    refused = at.send(text)
    page = refused.content.decode()
    assert refused.status_code == 422 and field(page) == text
    assert f'<form class="box hk-g12" id="mend" method="post" action="{at.address}"' in page and 'form="mend"' in page
    lines = text.replace("\r\n", "\n").split("\n")
    assert wrong(page) and all(lines[number - 1] == (said if said != "空行" else "") for number, said in wrong(page))
    mended = field(page).replace("wallmart", "walmart").replace("9.2", "0.92").replace("沃尔马", "沃尔玛购物卡/电子卡")
    assert at.publish(at.send(mended.lstrip("\n"))).status_code == 302
    assert {kind for kind, _, _ in at.live} == {"walmart"} and at.versions == 2


def test_a_file_with_wrong_rows_is_mended_as_it_was_read_unless_it_is_too_long(at: At) -> None:
    rows = [*ROWS, [], ["hemma", 1000, "上海市", "电子", "intact", "visit", 0.81]]
    for file in (("b.xlsx", sheet(rows)), ("b.csv", "\n".join(",".join(map(str, r)) for r in rows).encode("gb18030"))):
        page = at.send(file=file).content.decode()
        assert wrong(page) == [(6, "hemma,1000,shanghai,electronic,intact,visit,0.81")]
        assert field(page).split("\n")[5] == wrong(page)[0][1]
    at.publish(at.send(field(page).replace("hemma,1000", "hema,500")))
    assert at.live[-1] == ("hema", 500_00, 8100)
    long = [HEAD, *(f"smart,{n},shanghai,electronic,intact,visit,0.9" for n in range(1, 6000)), "smart,1,shanghai,x"]
    page, english = (
        at.send(file=("b.csv", "\n".join(long).encode()), **{"accept-language": lang}).content.decode()
        for lang in ("zh", "en")
    )
    assert "<textarea" not in page and "在原来的文件里改好" in page and "mend these rows in your file" in english
    assert wrong(page) == [(6001, "smart,1,shanghai,x,,,")]
    assert field(at.send("\n".join(long)).content.decode()) == "\n".join(long), "what was pasted is kept at any length"


def test_a_list_that_went_wrong_between_looking_and_publishing_is_not_lost(at: At) -> None:
    text = f"{HEAD}\nnobody,1,shanghai,electronic,intact,visit,0.9\n"
    token = reading.keep(at.party, at_desk.party_of("desk1"), 1, text)
    answer = at.client.post(f"{at.address}/publish", {"book": token, "once": "1"})
    page = answer.content.decode()
    assert (answer.status_code, at.versions) == (422, 1)
    assert field(page) == text and wrong(page) == [(2, "nobody,1,shanghai,electronic,intact,visit,0.9")]


def test_a_list_that_changes_resale_prices_alone_is_shown_as_changed(at: At) -> None:
    row = "walmart,{},shanghai,electronic,intact,visit,{},{}"
    first = [f"{HEAD},sells", row.format("*", "0.9", "0.95"), row.format("500", "0.9", "0.95")]
    at.publish(at.send("\n".join(first)))
    at.publish(at.send("\n".join([*first[:2], row.format("500", "0.9", "0.96")])))
    assert at.versions == 3, "versions before are left as they were"
    page, english = (
        at.send("\n".join([*first[:2], row.format("500", "0.9", "0.97")]), **{"accept-language": lang}).content.decode()
        for lang in ("zh", "en")
    )
    assert re.findall(r'<dd class="fig(?: hk-warn)?">(\d+)</dd>', page) == ["2", "0", "0", "1", "0", "0", "1"]
    section = page[page.index("只改了卖出价") :]
    assert "9.6 折" in section and "9.7 折" in section and "+1.00" in section and "和现行的一样" not in page
    assert "Only the resale price changes" in english and "96%" in english and "97%" in english
    without = at.send("\n".join(line.rpartition(",")[0] for line in first)).content.decode()
    assert re.findall(r'<dd class="fig(?: hk-warn)?">(\d+)</dd>', without) == ["2", "0", "0", "2", "0", "0", "0"]
    actions.set_terms(at.party, at.party, Terms(margin_bp=600))
    follows = at.send("\n".join([*first[:2], row.format("500", "", "0.96")])).content.decode()
    assert "折扣率改为跟着卖出价算" in follows


def sheet(rows: list[list[object]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


ROWS: list[list[object]] = [
    HEAD.split(","), ["walmart", "*", "shanghai", "electronic", "intact", "visit", 0.87],
    ["walmart", 500, "shanghai", "electronic", "intact", "visit", 0.915],
    ["hema", 1000, "shanghai", "electronic", "intact", "visit", 0.81],
]  # fmt: skip
CHINESE = "面值\t卡种\t城市\t形式\t成色\t方式\t折扣率\n任意\t沃尔玛购物卡/电子卡\t上海市\t电子\t完好\t上门\t0.87\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("book.csv", NEW.encode()),
        ("book.csv", NEW.encode("utf-8-sig")),
        ("book.csv", NEW.encode("gb18030")),
        ("book.xlsx", sheet(ROWS)),
    ],
)
def test_every_way_of_sending_a_book_is_the_same_book(at: At, name: str, data: bytes) -> None:
    at.publish(at.send(file=(name, data)))
    assert at.live == [("walmart", None, 8700), ("walmart", 500_00, 9150), ("hema", 1000_00, 8100)]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_columns_may_be_called_and_filled_in_chinese_and_in_any_order(at: At, encoding: str) -> None:
    at.publish(at.send(file=("价目.csv", CHINESE.encode(encoding))))
    assert at.live == [("walmart", None, 8700)]


def test_what_is_downloaded_can_be_sent_back_unchanged(at: At) -> None:
    csv = at.client.get(f"/desk/recyclers/{at.party}/book.csv").content
    page = at.send(file=("book.csv", csv)).content.decode()
    assert "和现行的一样" in page


LIES = [
    ("book.xlsx", b"<html><table></table></html>", 422, "网页", "web page"),
    ("book.csv", sheet(ROWS), 422, "XLSX", "XLSX"),
    ("book.xlsx", NEW.encode(), 422, "CSV", "CSV"),
    ("book.xlsm", sheet(ROWS), 422, "宏", "macros"),
    ("book.xlsx", sheet([*ROWS, ["hema", "=1+1", "shanghai", "electronic", "intact", "visit", 0.9]]), 422, "B5", "B5"),
    ("book.csv", NEW.encode("utf-16"), 422, "编码", "encoding"),
    ("book.csv", b"a," * 1_100_000, 413, "大小", "kB"),
    ("book.csv", b"", 422, "没有内容", "nothing in it"),
]


@pytest.mark.parametrize(("name", "data", "status", "zh", "en"), LIES)
def test_a_file_that_lies_is_refused_in_both_languages(
    at: At, name: str, data: bytes, status: int, zh: str, en: str
) -> None:
    if not data:
        data = b" "
    for language, word in (("zh", zh), ("en", en)):
        answer = at.send("already pasted", file=(name, data), **{"accept-language": language})
        page = answer.content.decode()
        assert (answer.status_code, word in page) == (status, True), page[:4000]
        assert "already pasted" in page, "what was pasted is kept"
    assert at.versions == 1


def test_nothing_sent_is_said_so_and_a_wrong_header_is_a_row_error(at: At) -> None:
    assert "选一个文件" in at.send("  ").content.decode()
    wrong = at.send("kind,price\nwalmart,1\n").content.decode()
    assert "第一行应为" in wrong and '<td class="t">1</td>' in wrong


def test_hostile_text_is_shown_as_text(at: At) -> None:
    page = at.send(f"{HEAD}\n<img src=x onerror=alert(1)>,1,shanghai,electronic,intact,visit,0.9\n").content.decode()
    assert "<img" not in page and "&lt;img src=x" in page


def test_a_large_book_is_previewed_in_time(at: At) -> None:
    rows = [f"smart,{n},shanghai,electronic,intact,visit,0.9" for n in range(1, 19_000)]
    began = clock.now()
    preview = at.send("\n".join([HEAD, *rows]))
    page = preview.content.decode()
    assert "只列前 200 行" in page and len(page) < 1_000_000
    assert (clock.now() - began).total_seconds() < 20
    assert at.publish(preview).status_code == 302
    assert len(at.live) == 18_999
