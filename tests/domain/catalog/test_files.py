"""The data files: what stands in them, and that files which do not hold together are refused by file and line."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from huika.domain.catalog import files
from huika.domain.catalog.rows import CatalogDataError
from huika.domain.catalog.types import FaceRange

BOOK = files.book()
KINDS = {k.slug: k for k in BOOK.kinds}


def test_how_much_there_is() -> None:
    assert len(BOOK.kinds) == 48
    assert len(BOOK.reason_codes) == 6
    assert [r.number for r in BOOK.reason_codes] == [1, 2, 3, 4, 5, 6]
    assert len(BOOK.districts) == 16
    assert {c.platform_kind for c in BOOK.platform_claims} == {"ecommerce", "vertical", "local"}


def test_every_row_says_where_it_comes_from() -> None:
    parts: list[Any] = [*BOOK.issuers, *BOOK.kinds, *BOOK.limits, *BOOK.reason_codes, *BOOK.cities, *BOOK.districts]
    parts += [*BOOK.platform_claims, *(m for k in BOOK.kinds for m in k.number_meanings)]
    assert all(part.source.strip() for part in parts)
    assert {limit.code for limit in BOOK.limits if limit.trust == "law"} >= {
        "registered_face_max_fen",
        "bearer_face_max_fen",
        "trade_records_years",
        "aml_records_years",
    }
    assert {c.trust for c in BOOK.platform_claims} == {"claimed"}
    assert {d.trust for d in BOOK.districts} == {"from memory"}


def test_a_kind_is_no_more_trusted_than_its_weakest_source() -> None:
    for kind in BOOK.kinds:
        assert (kind.trust == "from memory") == ("memory" in kind.source), kind.slug
        assert kind.lock_trust == "from memory"


def test_a_disputed_format_is_never_firm() -> None:
    for kind in BOOK.kinds:
        for patterns, firm, note in (
            (kind.number_patterns, kind.number_firm, kind.number_note),
            (kind.pin_patterns, kind.pin_firm, kind.pin_note),
        ):
            disputed = any(word in note for word in ("sample", "optional", "memory", "says"))
            assert not (firm and disputed), kind.slug
            assert not (firm and not patterns), kind.slug
    not_firm = {k.slug for k in BOOK.kinds if k.number_patterns and not k.number_firm}
    assert not_firm == {"jd-ecard", "cnpc-ic", "shangtong", "sinopec-topup"}
    assert KINDS["walmart"].formats_firm
    assert not KINDS["jd-ecard"].formats_firm
    assert not KINDS["apple"].formats_firm
    assert not KINDS["suguo"].formats_firm


def test_policies_and_distress() -> None:
    assert {k.slug: k.policy for k in BOOK.kinds if k.policy != "accept"} == {
        "carrefour": "refuse",
        "gome": "refuse",
        "apple": "limit",
        "steam": "refuse",
    }
    assert {i.slug for i in BOOK.issuers if i.in_distress} == {"carrefour-china", "gome"}


def test_texts_for_people_keep_their_length() -> None:
    for kind in BOOK.kinds:
        assert len(kind.policy_zh) <= 22, kind.slug
    for meaning in (m for k in BOOK.kinds for m in k.number_meanings):
        assert len(meaning.zh) <= 22, meaning.slug
    for reason in BOOK.reason_codes:
        assert len(reason.zh) <= 22, reason.code


def test_face_values_are_fen() -> None:
    assert KINDS["walmart"].face_values == (10_000, 20_000, 30_000, 50_000, 100_000, 200_000)
    assert KINDS["junnet"].face_values == FaceRange(500, 100_000)
    assert KINDS["sinopec-ic"].face_values == "any"
    assert KINDS["steam"].face_values is None


def test_shanghai_lies_where_it_is() -> None:
    for district in BOOK.districts:
        assert 30.6 < district.lat < 31.9, district.slug
        assert 120.8 < district.lng < 122.2, district.slug
        assert re.fullmatch(r"3101\d\d", district.adcode)
    assert len({d.adcode for d in BOOK.districts}) == 16
    assert BOOK.cities[0].lat == pytest.approx(31.23, abs=0.01)


def test_the_pinyin_of_an_alias_has_a_syllable_for_each_character() -> None:
    with (files.OWN_FOLDER / "aliases.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            units = re.findall(r"[A-Za-z]+|[一-鿿]", row["text"])
            assert len(row["pinyin"].split()) == len(units), row


def test_initials_and_pinyin_follow_from_the_syllables() -> None:
    from huika.domain.catalog.kind_rows import search_terms

    assert search_terms("沃尔玛", "wo er ma") == ["沃尔玛", "woerma", "wem"]
    assert search_terms("旅游", "lv you") == ["旅游", "lvyou", "ly"]


Change = Callable[[dict[str, str]], None]


def tampered(folder: Path, name: str, key: str, change: Change) -> None:
    """A copy of one file in `folder`, with the line whose first column is `key` changed."""
    with (files.OWN_FOLDER / name).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    first = next(iter(rows[0]))
    change(next(row for row in rows if row[first] == key))
    with (folder / name).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("name", "key", "column", "value", "complaint"),
    [
        ("kinds.csv", "walmart", "ratio_low_bp", "9500", "ratio_low_bp is above"),
        ("kinds.csv", "walmart", "ratio_high_bp", "10001", "between 0 and 10000"),
        ("kinds.csv", "walmart", "ratio_low_bp", "0.88", "whole number"),
        ("kinds.csv", "walmart", "ratio_low_bp", "٨٨٠٠", "whole number"),
        ("kinds.csv", "walmart", "number_patterns", "^(", "no regular expression"),
        ("kinds.csv", "walmart", "number_patterns", r"\d+", "must start with"),
        ("kinds.csv", "suguo", "number_firm", "yes", "firm without a pattern"),
        ("kinds.csv", "walmart", "number_firm", "true", "yes or no"),
        ("kinds.csv", "walmart", "issuer_id", "nobody", "not known"),
        ("issuers.csv", "walmart-china", "slug", "jd", "stands twice"),
        ("kinds.csv", "walmart", "lock_plastic", "", "needs lock_plastic"),
        ("kinds.csv", "walmart", "lock_electronic", "magic", "must be one of"),
        ("kinds.csv", "walmart", "face_values", "2000|1000", "must rise"),
        ("kinds.csv", "walmart", "face_values", "1000|1000", "must rise"),
        ("kinds.csv", "walmart", "face_values", "range:2000-1000", "backwards"),
        ("kinds.csv", "walmart", "face_values", "range:2000", "whole number"),
        ("kinds.csv", "walmart", "face_values", "0|100", "between 1"),
        ("kinds.csv", "walmart", "policy", "refuse", "needs its reason"),
        ("kinds.csv", "apple", "policy_en", "", "needs its reason"),
        ("kinds.csv", "walmart", "policy_zh", "因为", "has none"),
        ("kinds.csv", "walmart", "balance_channels", "pos|fax", "must be one of"),
        ("kinds.csv", "walmart", "source", " ", "source is empty"),
        ("kinds.csv", "walmart", "trust", "sure", "must be one of"),
        ("limits.csv", "warn_day_fen", "unit", "bp", "must end in _bp"),
        ("limits.csv", "warn_day_fen", "value", "-1", "between"),
        ("limits.csv", "warn_day_fen", "code", "no_cash_day_fen", "stands twice"),
        ("reason_codes.csv", "balance_short", "number", "1", "stands twice"),
        ("reason_codes.csv", "balance_short", "max_deduction_bp", "10001", "between"),
        ("districts.csv", "shanghai-huangpu", "city_id", "atlantis", "not known"),
        ("districts.csv", "shanghai-huangpu", "lat_e6", "121485000", "between"),
        ("aliases.csv", "walmart", "kind_id", "nobody", "not known"),
        ("number_meanings.csv", "walmart-2326", "kind_id", "nobody", "not known"),
        ("number_meanings.csv", "walmart-2326", "pattern", "^1 ^2", "one pattern"),
        ("platform_claims.csv", "vertical-788", "claimed_on", "last year", "must be a date"),
    ],
)
def test_a_file_that_lies_is_refused_by_file_and_line(
    tmp_path: Path, name: str, key: str, column: str, value: str, complaint: str
) -> None:
    tampered(tmp_path, name, key, lambda row: row.update({column: value}))
    with pytest.raises(CatalogDataError, match=re.escape(complaint)) as error:
        files.book(tmp_path)
    assert re.search(r"\.csv, line \d+: ", str(error.value))


def test_a_kind_that_stands_twice_is_refused(tmp_path: Path) -> None:
    lines = (files.OWN_FOLDER / "kinds.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "kinds.csv").write_text("".join([*lines, lines[1]]), encoding="utf-8")
    with pytest.raises(CatalogDataError, match=r"kinds\.csv, line 50: jd-ecard stands twice"):
        files.book(tmp_path)


def test_a_missing_column_and_a_short_line_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cities.csv").write_text("slug,name_zh\nshanghai,上海\n", encoding="utf-8")
    with pytest.raises(CatalogDataError, match=r"cities\.csv: columns must be"):
        files.book(tmp_path)
    shutil.copy(files.OWN_FOLDER / "cities.csv", tmp_path)
    with (tmp_path / "cities.csv").open("a", encoding="utf-8") as handle:
        handle.write("hangzhou,杭州市\n")
    with pytest.raises(CatalogDataError, match=r"cities\.csv, line 3: as many values"):
        files.book(tmp_path)


def test_an_operators_folder_replaces_only_the_files_it_holds(tmp_path: Path) -> None:
    tampered(tmp_path, "limits.csv", "warn_day_fen", lambda row: row.update(value="500000", trust="operator"))
    book = files.book(tmp_path)
    changed = [x for x in book.limits if x not in BOOK.limits]
    assert [(x.code, x.value, x.trust) for x in changed] == [("warn_day_fen", 500_000, "operator")]
    assert book.kinds == BOOK.kinds
