"""Names, addresses and reasons that would be markup in a page, or a formula in a spreadsheet, stay words."""

import csv
import io
import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Page
from psycopg import sql
from tests.browser import BrowserPages
from tests.faces import built, every_page, ways
from tests.faces.test_every_page import opened_as

from huika.domain.catalog import actions
from huika.domain.catalog import queries as catalog
from huika.faces.pages import tables
from huika.kit import postgres
from huika.sim.story import World

pytestmark = pytest.mark.stack
MARKUP = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://evil")'
# Columns of words that people typed, by name; codes have other names, or are shorter.
WORDS = "^((name|title)(_zh|_en)?|zh|en|alias|line|reason|notes?|said|words|label|text|body|comment)$"
LEAST = 30  # characters that a column must hold
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠\t\r]")
_NUMBER = re.compile(r"^-?[\d,]+(\.\d+)?%?$")


def poison(roles: postgres.Roles, words: str) -> set[str]:
    """Put `words` into every column of words, as the owner; which ones took them. Append-only tables refuse."""
    took = set()
    with psycopg.connect(roles.owner, autocommit=True) as conn:
        columns = conn.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying') AND coalesce(character_maximum_length, 1000) >= %s"
            " AND column_name ~ %s AND table_name !~ '^(procrastinate|django|auth|account|mfa)'",
            [LEAST, WORDS],
        ).fetchall()
        for table, column in columns:
            # Numbered, since some are unique.
            statement = sql.SQL(
                "UPDATE {t} SET {c} = %s || n FROM (SELECT ctid AS at, row_number() OVER () AS n FROM {t}) AS numbered"
                " WHERE {t}.ctid = numbered.at AND {c} <> ''"
            ).format(t=sql.Identifier(table), c=sql.Identifier(column))
            try:
                if conn.execute(statement, [words]).rowcount:
                    took.add(f"{table}.{column}")
            except (psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege):
                continue
    return took


@pytest.fixture
def the_catalogue_again(transactional_db: None) -> Iterator[None]:
    """The catalogue outlives a test: afterwards it says what its files say."""
    yield
    actions.load()
    catalog.forget()


def test_words_stay_words(
    the_catalogue_again: None, platform: World, site: str, browser_page: BrowserPages, roles: postgres.Roles
) -> None:
    poison(roles, MARKUP)  # before the trade, so that what it copies is poisoned too
    world = built.build(platform)
    took = poison(roles, MARKUP)
    assert {"parties_recycler.name_zh", "parties_party.alias", "parties_address.line", "kit_workitem.title_zh"} <= took
    found = every_page.find(world, shapes=1)
    opened: dict[object, Page] = {}
    wrong, showing = [], []
    for shown in found.pages:
        page = opened_as(opened, browser_page, shown)
        page.goto(shown.path)
        browser_page.settled(page)
        if page.locator('img[src="x"], [onerror]').count():
            wrong.append(f"{shown.path}: the words have become an element")
        if MARKUP in page.locator("body").inner_text():
            showing.append(shown.path)
        wrong += [f"{shown.path}: {problem}" for problem in browser_page.unexpected()]
    assert wrong == []
    assert showing, "no page shows any of the words: they did not arrive"

    poison(roles, FORMULA)
    lists = [(path, role) for path, role, kind in found.downloads if kind == "text/csv"]
    guarded = 0
    for path, role in lists:
        text = ways.client_of(world, role).get(path).content.decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert [c for c in cells if _FORMULA.match(c) and not _NUMBER.match(c)] == [], path
        guarded += sum(c.startswith("'" + FORMULA) for c in cells)
    assert guarded, "no list holds any of the words: they did not arrive"
    print(f"{len(showing)} of {len(found.pages)} pages show the words, {guarded} cells of {len(lists)} lists hold them")


@pytest.mark.parametrize(
    "text", [FORMULA, "+1+1", "-1+1", "@SUM(A1)", "\t=1", "  =1", "\r=1", "＝1+1", "＋1", "－1", "＠x", "\n=1"]
)
def test_a_cell_that_would_be_a_formula_is_text(text: str) -> None:
    assert tables.cell(text).startswith("'")
    assert tables.cell(-5) == "-5"
    assert tables.cell("普通 words") == "普通 words"


def test_the_poison_is_found_where_it_would_work(browser_page: BrowserPages) -> None:
    """The control: on a page that trusts its words, the same looks find the element and the alert."""
    page, told = browser_page(), []
    page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
    page.route("http://localhost:1/", lambda route: route.fulfill(content_type="text/html", body=f"<p>{MARKUP}</p>"))
    page.route("http://localhost:1/x", lambda route: route.abort())
    page.goto("http://localhost:1/")
    assert page.locator('img[src="x"], [onerror]').count() == 1
    assert told == ["1"]
    browser_page.expect("http://localhost:1/x")
