"""Loading and asking: what the database hands out is what the files say; a second load writes nothing."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from huika.domain.catalog import actions, files, models, queries, shelf
from huika.domain.catalog.errors import (
    FaceValueNotOfKind,
    FormNotOfKind,
    KindRefused,
    MalformedNumber,
    UnknownCity,
    UnknownIssuer,
    UnknownKind,
    UnknownReasonCode,
)
from huika.domain.catalog.rows import CatalogDataError
from huika.kit.models import Event
from huika.kit.postgres import Roles, role_name

pytestmark = pytest.mark.django_db

BOOK = files.book()
ROWS = sum(len(values) for _, values in shelf.tables(BOOK))


@pytest.fixture(autouse=True)
def _may_empty(roles: Roles) -> Iterator[None]:
    """Emptying the catalogue is nothing the app role may do, but for the length of these tests."""
    tables = ", ".join(m._meta.db_table for m in [m for m, _ in shelf.tables(BOOK)] + [models.Edition])
    app = role_name(roles.app)
    with psycopg.connect(roles.owner, autocommit=True) as owner:
        owner.execute(f'GRANT DELETE ON {tables} TO "{app}"')
        yield
        owner.execute(f'REVOKE DELETE ON {tables} FROM "{app}"')


@pytest.fixture(autouse=True)
def _fresh_copy(_may_empty: None, db: None) -> None:
    for model in [m for m, _ in reversed(list(shelf.tables(BOOK)))] + [models.Edition]:
        model._default_manager.all().delete()
    queries.forget()


def versions() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table with the transaction that wrote it."""
    found = {}
    with connection.cursor() as cursor:
        for model in [m for m, _ in shelf.tables(BOOK)] + [models.Edition]:
            table = model._meta.db_table
            cursor.execute(f"SELECT xmin::text, ctid::text, t.* FROM {table} t ORDER BY 3")
            found[table] = cursor.fetchall()
    return found


def loads() -> int:
    """How many loads changed something, ever."""
    return Event.objects.filter(verb="catalog.loaded", subject=actions.CATALOGUE).count()


def changed_copy(folder: Path, name: str, key: str, **columns: str) -> Path:
    with (files.OWN_FOLDER / name).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    first = next(iter(rows[0]))
    next(row for row in rows if row[first] == key).update(columns)
    with (folder / name).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_what_is_read_back_is_what_the_files_say() -> None:
    report = actions.load()
    queries.forget()
    assert (report.created, report.changed, report.unchanged, report.unlisted) == (ROWS, 0, 0, 0)
    assert shelf.read() == BOOK
    assert queries.kinds() == BOOK.kinds
    assert queries.edition() == report.edition == shelf.digest(BOOK)


def test_a_second_load_writes_no_row() -> None:
    first = actions.load()
    before, known = versions(), loads()
    second = actions.load()
    assert (second.created, second.changed, second.unchanged, second.unlisted) == (0, 0, ROWS, 0)
    assert second.edition == first.edition
    assert versions() == before
    assert loads() == known


def test_a_changed_file_changes_its_row_alone(tmp_path: Path) -> None:
    actions.load()
    before = versions()
    changed_copy(tmp_path, "kinds.csv", "suguo", policy="refuse", policy_zh="系统升级。", policy_en="Being upgraded.")
    report = actions.load(tmp_path)
    queries.forget()
    assert (report.created, report.changed, report.unchanged) == (0, 1, ROWS - 1)
    after = versions()
    moved = {table for table in before if before[table] != after[table]}
    assert moved == {"catalog_cardkind", "catalog_edition"}
    assert len(set(after["catalog_cardkind"]) - set(before["catalog_cardkind"])) == 1
    with pytest.raises(KindRefused):
        queries.check_card("suguo", "physical", 10_000)


def test_a_row_that_no_file_lists_is_left_alone_and_reported(tmp_path: Path) -> None:
    actions.load()
    models.Limit.objects.create(
        code="own_fen", value=1, unit="fen", bound="at_most", zh="甲", en="x", source="x", trust="operator"
    )
    report = actions.load()
    queries.forget()
    assert (report.unlisted, report.changed) == (1, 0)
    assert queries.limit("own_fen") == 1
    assert queries.edition() != shelf.digest(BOOK)


def test_a_folder_that_does_not_hold_together_changes_nothing(tmp_path: Path) -> None:
    actions.load()
    before = versions()
    changed_copy(tmp_path, "limits.csv", "warn_day_fen", value="5")
    changed_copy(tmp_path, "districts.csv", "shanghai-huangpu", city_id="atlantis")
    with pytest.raises(CatalogDataError):
        actions.load(tmp_path)
    assert versions() == before


def test_the_database_refuses_what_no_file_could_hold() -> None:
    actions.load()
    for values in ({"ratio_high_bp": 10_001}, {"ratio_low_bp": 9_999}, {"policy": "perhaps"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            models.CardKind.objects.filter(slug="walmart").update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Edition.objects.create(id=2, digest="0" * 64)


def test_a_load_renews_this_processs_copy_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(queries, "time", SimpleNamespace(monotonic=lambda: 1_000_000.0))
    with django_capture_on_commit_callbacks(execute=True):
        actions.load()
    assert queries.limit("warn_day_fen") == 1_000_000
    changed_copy(tmp_path, "limits.csv", "warn_day_fen", value="500000")
    with django_capture_on_commit_callbacks(execute=True):
        actions.load(tmp_path)
    assert queries.limit("warn_day_fen") == 500_000


def test_another_processs_load_is_noticed_in_the_next_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(queries, "time", SimpleNamespace(monotonic=lambda: now[0]))
    actions.load()
    queries.forget()
    assert queries.limit("warn_day_fen") == 1_000_000
    changed_copy(tmp_path, "limits.csv", "warn_day_fen", value="500000")
    actions.load(tmp_path)  # its on_commit does not run here, as in another process
    assert queries.limit("warn_day_fen") == 1_000_000
    now[0] += queries.EDITION_SECONDS
    assert queries.limit("warn_day_fen") == 500_000


def test_repeated_questions_ask_the_database_nothing(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(queries, "time", SimpleNamespace(monotonic=lambda: 1_000_000.0))
    actions.load()
    queries.forget()
    queries.kinds()
    with django_assert_num_queries(0):
        assert queries.check_card("walmart", "electronic", 100_000, "2326000011112222").number == "match"
        assert queries.districts("shanghai")


def test_a_copy_that_is_not_the_edition_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "time", SimpleNamespace(monotonic=lambda: 1_000_000.0))
    actions.load()
    queries.forget()
    models.Limit.objects.filter(code="warn_day_fen").update(value=5)  # as if read in the middle of a load
    assert queries.limit("warn_day_fen") == 5
    models.Limit.objects.filter(code="warn_day_fen").update(value=1_000_000)
    assert queries.limit("warn_day_fen") == 1_000_000


def test_an_empty_catalogue_is_not_kept() -> None:
    with pytest.raises(UnknownKind):
        queries.kind("walmart")
    with pytest.raises(LookupError, match="load_catalog"):
        queries.limit("warn_day_fen")
    actions.load()
    queries.forget()
    assert queries.kind("walmart").name_en == "Walmart China gift card"


def test_questions() -> None:
    actions.load()
    queries.forget()
    assert [k.slug for k in queries.kinds("wem")] == ["walmart"]
    assert queries.kinds("  ") == queries.kinds(None) == BOOK.kinds
    assert queries.issuer("gome").in_distress
    assert queries.issuers() == BOOK.issuers
    assert queries.limits() == BOOK.limits
    assert queries.limit("structuring_window_seconds") == 86_400
    assert [r.code for r in queries.reason_codes()][2] == "balance_short"
    assert queries.max_deduction_fen("balance_short", face_value_fen=100_000, shortfall_fen=2_500) == 2_500
    assert queries.city("shanghai").name_zh == "上海市"
    assert queries.cities() == BOOK.cities
    assert queries.districts("shanghai") == BOOK.districts
    assert len(queries.platform_claims()) == 5


def test_unknown_keys_are_refused_by_name() -> None:
    actions.load()
    queries.forget()
    for ask, refusal in (
        (lambda: queries.kind("nope"), UnknownKind),
        (lambda: queries.issuer("nope"), UnknownIssuer),
        (lambda: queries.reason_code("nope"), UnknownReasonCode),
        (lambda: queries.city("hong-kong"), UnknownCity),
        (lambda: queries.districts("hong-kong"), UnknownCity),
    ):
        with pytest.raises(refusal) as refused:
            ask()
        assert refused.value.status == 404


def test_checking_a_declared_card() -> None:
    actions.load()
    queries.forget()
    check = queries.check_card("walmart", "physical", 100_000)
    assert (check.lock, check.number, check.notices, check.needs_person) == ("none", None, (), False)
    check = queries.check_card("apple", "electronic", 12_300, "ABC")
    assert (check.number, check.needs_person) == ("no_format", True)
    assert [n.code for n in check.notices] == ["kind_limited", "face_value_unlisted"]
    check = queries.check_card("smart", "physical", 20_000, "1234501087654321")
    assert [n.code for n in check.notices] == ["number_says_otherwise"]
    for ask, refusal in (
        (lambda: queries.check_card("nope", "physical", 1), UnknownKind),
        (lambda: queries.check_card("gome", "electronic", 10_000), KindRefused),
        (lambda: queries.check_card("suguo", "electronic", 10_000), FormNotOfKind),
        (lambda: queries.check_card("walmart", "physical", 12_300), FaceValueNotOfKind),
        (lambda: queries.check_card("walmart", "physical", 10_000, "77"), MalformedNumber),
    ):
        with pytest.raises(refusal):
            ask()


def test_the_command_reports_and_refuses(tmp_path: Path) -> None:
    out = StringIO()
    call_command("load_catalog", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert (report["created"], report["unchanged"]) == (ROWS, 0)
    out = StringIO()
    call_command("load_catalog", stdout=out)
    assert f"0 created, 0 changed, {ROWS} unchanged, 0 unlisted" in out.getvalue()
    changed_copy(tmp_path, "kinds.csv", "walmart", ratio_high_bp="20000")
    with pytest.raises(CommandError, match=r"kinds\.csv, line 5: ratio_high_bp"):
        call_command("load_catalog", "--data", str(tmp_path))
    with pytest.raises(CommandError, match="is no folder"):
        call_command("load_catalog", "--data", str(tmp_path / "nowhere"))
