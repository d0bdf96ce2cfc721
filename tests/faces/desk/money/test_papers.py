"""Statements and slips on paper: a PDF with the figures, one language, text that stays text."""

import re
import shutil
import subprocess
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from tests.faces.desk.money import ground
from tests.faces.desk.money.ground import Ground, refused

from huika.domain.ledger.types import Statement, StatementLine
from huika.domain.settlement import actions as settlement
from huika.faces.pages import papers
from huika.kit import clock, paper

pytestmark = pytest.mark.xdist_group("the desk's papers")  # one worker, which builds the house once

START = datetime(2026, 5, 1, tzinfo=clock.SHANGHAI)
HAN = re.compile(r"[\u3400-\u9fff]+")


def statement(n: int = 2) -> Statement:
    """Opening 10.00, `n` lines of 12.34, closing."""
    who = uuid4()
    code = f"party:{who}:payable"
    lines = tuple(
        StatementLine(k, START + timedelta(hours=k), "settlement.card", who, code, 12_34, 10_00 + 12_34 * (k + 1))
        for k in range(n)
    )
    return Statement(who, START, START + timedelta(days=31), 10_00, 10_00 + 12_34 * n, lines)


def needs_chromium() -> None:
    if paper.executable() is None:
        pytest.skip("no Chromium here")


def words_of(pdf: bytes) -> str:
    """The text of a PDF, where there is something that reads it; empty otherwise."""
    if shutil.which("pdftotext") is None:
        return ""
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_statement_says_who_when_and_that_it_adds_up(lang: str) -> None:
    html = papers.statement_html(statement(), lang, "<b>A & B</b>")
    assert "2026-05-01" in html and "2026-05-31" in html and "¥34.68" in html and "¥12.34" in html
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in html and "size: A4" in html and "counter(pages)" in html
    if lang == "en":
        assert "Check: opening 10 + lines 24.68 = closing 34.68" in html
        assert HAN.findall(re.sub(r"<style>.*?</style>", "", html, flags=re.S)) == ["回卡"]
    else:
        assert "期初 10 + 发生 24.68 = 期末 34.68" in html and "卡款归卖家" in html
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")


def test_a_statement_that_does_not_add_up_says_so() -> None:
    it = statement()
    wrong = Statement(it.party, it.start, it.end, it.opening_fen, it.closing_fen + 1, it.lines)
    assert "期初加发生额不等于期末" in papers.statement_html(wrong, "zh", "x")


def test_the_pdf_has_the_figures_on_numbered_pages(db: None) -> None:
    needs_chromium()
    pdf = paper.pdf(papers.statement_html(statement(90), "zh", "演示商家"))
    assert pdf.startswith(b"%PDF") and pdf.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) in (0, 2, 3)  # 0: kept in object streams
    if text := words_of(pdf):
        assert "1,120.60" in text and "演示商家" in text and "1 / " in text and "2 / " in text


def test_statement_and_slip_are_downloaded(money: Ground) -> None:
    needs_chromium()
    settlement.give_bonus(money.courier, "b", 50_00, ground.party_of("desk"), "雨天加派")
    for address, figure in ((f"statements/{money.seller}", "884.00"), (f"pay/{money.courier}", "72.00")):
        answer = money.desk.get(f"/desk/money/{address}.pdf")
        assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF") and "attachment" in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "no-store"
        if text := words_of(answer.content):
            assert figure in text


def test_without_chromium_the_csv_is_still_there(money: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "executable", lambda: None)
    answer = money.desk.get(f"/desk/money/statements/{money.seller}.pdf")
    assert answer.status_code == 503 and "没有 Chromium" in answer.content.decode()
    assert money.desk.get(f"/desk/money/statements/{money.seller}.csv").status_code == 200


def test_wrong_days_make_no_paper(money: Ground) -> None:
    day = date(2026, 5, 2)
    answer = money.desk.get(f"/desk/money/statements/{money.seller}.pdf?from={day}&to={day - timedelta(days=1)}")
    assert answer.status_code == 400 and "结束不能早于开始" in answer.content.decode()
    assert money.desk.get(f"/desk/money/pay/{money.courier}.pdf?month=x").status_code == 400
    assert money.desk.get(f"/desk/money/pay/{money.seller}.pdf").status_code == 404
    refused(money.desk.get(f"/desk/money/statements/{money.seller}?from=x"), 422)
