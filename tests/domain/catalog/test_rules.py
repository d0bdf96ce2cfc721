"""Face values, numbers, policies, deductions and search, on the project's own rows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huika.domain.catalog import files, rules
from huika.domain.catalog.errors import (
    FaceValueNotOfKind,
    FaceValueOverLegalLimit,
    ForeignCurrency,
    FormNotOfKind,
    KindRefused,
    MalformedFaceValue,
    MalformedNumber,
)
from huika.domain.catalog.types import FaceRange, Kind, Notice, ReasonCode
from huika.kit.refusals import Refusal

BOOK = files.book()
KINDS = {k.slug: k for k in BOOK.kinds}
LIMITS = {x.code: x.value for x in BOOK.limits}
REASONS = {r.code: r for r in BOOK.reason_codes}


def face(kind: Kind, fen: int) -> tuple[Notice, ...]:
    return rules.check_face_value(
        kind,
        fen,
        registered_max_fen=LIMITS["registered_face_max_fen"],
        bearer_max_fen=LIMITS["bearer_face_max_fen"],
    )


def test_a_listed_face_value_is_in_order() -> None:
    assert face(KINDS["walmart"], 100_000) == ()
    assert face(KINDS["jd-ecard"], 88_800) == ()


def test_an_unlisted_face_value_is_refused_with_the_values_there_are() -> None:
    with pytest.raises(FaceValueNotOfKind) as refused:
        face(KINDS["starbucks"], 12_345)
    assert refused.value.message_zh == "星礼卡没有 ¥123.45 的面值。它有：¥50、¥80、¥100、¥200、¥300、¥500"
    assert refused.value.message_en.endswith("It has: ¥50, ¥80, ¥100, ¥200, ¥300, ¥500.")
    assert refused.value.status == 409


def test_an_unlisted_face_value_of_an_open_list_only_warns() -> None:
    assert [(n.code, n.weight) for n in face(KINDS["sams-club"], 30_000)] == [("face_value_unlisted", "warn")]


@pytest.mark.parametrize(
    ("fen", "fits"), [(499, False), (500, True), (77_777, True), (100_000, True), (100_001, False)]
)
def test_a_range_holds_its_ends(fen: int, fits: bool) -> None:
    if fits:
        assert face(KINDS["junnet"], fen) == ()
    else:
        with pytest.raises(FaceValueNotOfKind, match="¥5 to ¥1,000"):
            face(KINDS["junnet"], fen)


def test_any_balance_holds_every_amount_up_to_the_law() -> None:
    assert face(KINDS["sinopec-ic"], 1) == ()
    assert face(KINDS["sinopec-ic"], 500_000) == ()
    with pytest.raises(FaceValueOverLegalLimit) as refused:
        face(KINDS["sinopec-ic"], 500_001)
    assert "最多 ¥5,000" in refused.value.message_zh
    assert refused.value.data["limit_fen"] == 500_000


def test_the_law_stands_before_the_list() -> None:
    with pytest.raises(FaceValueOverLegalLimit):
        face(KINDS["walmart"], 600_000)


def test_unknown_values_are_no_reason_to_refuse() -> None:
    assert face(replace(KINDS["walmart"], face_values=None), 12_300) == ()


def test_a_large_card_goes_to_a_person_only_where_the_kind_is_known_as_bearer() -> None:
    walmart = KINDS["walmart"]
    assert face(walmart, 200_000) == ()
    assert face(replace(walmart, registered="registered"), 200_000) == ()
    assert face(replace(walmart, registered="bearer"), 100_000) == ()
    (notice,) = face(replace(walmart, registered="bearer"), 200_000)
    assert (notice.code, notice.weight) == ("bearer_over_limit", "person")
    assert "¥1,000" in notice.zh


def test_a_lower_limit_of_another_row_is_obeyed() -> None:
    with pytest.raises(FaceValueOverLegalLimit):
        rules.check_face_value(KINDS["walmart"], 200_000, registered_max_fen=150_000, bearer_max_fen=100_000)


@pytest.mark.parametrize("fen", [0, -1, -100_000])
def test_no_money_is_malformed(fen: int) -> None:
    with pytest.raises(MalformedFaceValue) as refused:
        face(KINDS["walmart"], fen)
    assert refused.value.status == 422


def test_steam_is_refused_by_its_currency_even_if_an_operator_accepts_it() -> None:
    accepted = replace(KINDS["steam"], policy="accept", policy_zh="", policy_en="")
    for check in (lambda: rules.check_policy(accepted), lambda: face(accepted, 5_000)):
        with pytest.raises(ForeignCurrency) as refused:
            check()
        assert "Steam" in refused.value.message_zh
        assert "USD" in refused.value.message_zh


@pytest.mark.parametrize("slug", ["carrefour", "gome"])
def test_issuers_in_distress_are_refused_with_the_reason(slug: str) -> None:
    with pytest.raises(KindRefused) as refused:
        rules.check_policy(KINDS[slug])
    assert KINDS[slug].policy_zh in refused.value.message_zh
    assert refused.value.message_zh.endswith("不是你的卡有问题。")


def test_a_limited_kind_goes_to_a_person() -> None:
    assert [(n.code, n.weight) for n in rules.check_policy(KINDS["apple"])] == [("kind_limited", "person")]
    assert rules.check_policy(KINDS["walmart"]) == ()


@pytest.mark.parametrize(
    ("slug", "number", "outcome"),
    [
        ("walmart", "2326 0000 1234 5678", "match"),
        ("walmart", "123456789012", "match"),
        ("walmart", "12345678-9012-3456-7890", "match"),
        ("jd-ecard", "jdv12345678901234567", "match"),
        ("jd-ecard", "V12345678901234567", "mismatch_warns"),
        ("cnpc-ic", "1234567890123456789", "mismatch_warns"),
        ("shangtong", "7399000011112222", "mismatch_warns"),
        ("sinopec-topup", "123456789012345678", "mismatch_warns"),
        ("hema", "X", "no_format"),
        ("suguo", "anything 1", "no_format"),
        ("china-mobile", "１２３４５６７８９０１２３４５６７", "match"),
    ],
)
def test_numbers(slug: str, number: str, outcome: str) -> None:
    assert rules.check_number(KINDS[slug], number) == outcome


@pytest.mark.parametrize(
    ("slug", "number"),
    [
        ("walmart", "23260000X"),
        ("walmart", "1234567890123"),
        ("suning", "123456789012345"),
        ("suning", "1234567890123456\n7"),
        ("sinopec-ic", "1000120000000000000"),
        ("yanxuan", "卡" * 16),
        ("yanxuan", "________________"),
        ("china-mobile", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧"),
        ("suguo", ""),
        ("suguo", " - "),
        ("suguo", "1" * 65),
        ("suguo", "1" * 10_000_000),
        ("suguo", "12\x0034"),
        ("suguo", "<script>"),
    ],
)
def test_what_is_certainly_no_number_of_the_kind(slug: str, number: str) -> None:
    with pytest.raises(MalformedNumber) as refused:
        rules.check_number(KINDS[slug], number)
    assert refused.value.status == 422
    if number.strip(" -"):
        assert number not in str(refused.value) + str(refused.value.data), "a refusal never repeats a card number"


@given(st.text("0123456789ABCXYZ", min_size=1, max_size=64), st.sampled_from(BOOK.kinds))
def test_a_kind_without_firm_formats_never_refuses_a_number(number: str, kind: Kind) -> None:
    if kind.number_firm:
        kind = replace(kind, number_firm=False)
    assert rules.check_number(kind, number) in {"match", "mismatch_warns", "no_format"}
    assert rules.check_number(replace(kind, number_patterns=()), number) == "no_format"


def test_a_walmart_2326_number_says_that_a_pin_of_six_digits_is_needed() -> None:
    (meaning,) = rules.number_meanings(KINDS["walmart"], "2326-0000-1111")
    assert meaning.pin_pattern == r"^\d{6}$"
    assert rules.number_meanings(KINDS["walmart"], "123456789012") == ()


def test_a_pattern_without_an_end_still_fits_whole_numbers_only() -> None:
    open_ended = replace(KINDS["jd-ecard"], number_patterns=(r"^\d{4}",))
    assert rules.check_number(open_ended, "1234") == "match"
    assert rules.check_number(open_ended, "12345") == "mismatch_warns"


def test_foreign_digits_mean_nothing() -> None:
    assert rules.number_meanings(KINDS["smart"], "١٢٣٤٥01087654321") == ()


@pytest.mark.parametrize(("digits", "fen"), [("010", 10_000), ("020", 20_000), ("050", 50_000), ("000", None)])
def test_smart_digits_six_to_eight_say_the_face_value(digits: str, fen: int | None) -> None:
    number = f"12345{digits}87654321"
    (meaning,) = rules.number_meanings(KINDS["smart"], number)
    assert meaning.face_value_fen == fen
    assert rules.check_declared_number(KINDS["smart"], number, fen or 30_000) == ("match", ())


def test_a_number_that_says_another_face_value_warns() -> None:
    outcome, (notice,) = rules.check_declared_number(KINDS["smart"], "1234501087654321", 50_000)
    assert (outcome, notice.code, notice.weight) == ("match", "number_says_otherwise", "warn")
    assert "100 元" in notice.zh


def test_a_regional_number_of_a_national_kind_warns() -> None:
    assert rules.check_declared_number(KINDS["shangtong"], "7320000011112222", 10_000) == ("match", ())
    outcome, notices = rules.check_declared_number(KINDS["shangtong"], "7399000011112222", 10_000)
    assert (outcome, [n.code for n in notices]) == ("mismatch_warns", ["number_unusual", "number_says_otherwise"])
    assert "北京" in notices[1].zh


def test_an_ic_card_of_sinopec_is_known_by_its_number() -> None:
    (meaning,) = rules.number_meanings(KINDS["sinopec-ic"], "1000111234567890123")
    assert meaning.slug == "sinopec-ic-100011"


def test_lock_methods_by_form() -> None:
    assert rules.lock_method(KINDS["walmart"], "electronic") == "bind"
    assert rules.lock_method(KINDS["walmart"], "physical") == "none"
    assert rules.lock_method(KINDS["sinopec-ic"], "physical") == "transfer"
    with pytest.raises(FormNotOfKind, match="Suguo"):
        rules.lock_method(KINDS["suguo"], "electronic")


def test_a_short_balance_takes_off_at_most_what_is_missing() -> None:
    most = rules.max_deduction_fen(REASONS["balance_short"], face_value_fen=100_000, shortfall_fen=2_500)
    assert most == 2_500
    assert rules.max_deduction_fen(REASONS["balance_short"], face_value_fen=100_000, shortfall_fen=-1) == 0


@given(
    st.sampled_from(BOOK.reason_codes),
    st.integers(1, 500_000),
    st.integers(-1_000, 600_000),
    st.none() | st.integers(0, 10_000),
)
def test_no_reason_takes_more_than_its_share_its_cap_or_the_card(
    reason: ReasonCode, face_value_fen: int, shortfall_fen: int, cap: int | None
) -> None:
    capped = replace(reason, max_deduction_fen=cap)
    most = rules.max_deduction_fen(capped, face_value_fen=face_value_fen, shortfall_fen=shortfall_fen)
    assert 0 <= most <= face_value_fen
    assert cap is None or most <= cap
    if reason.basis == "face_value":
        assert most * 10_000 <= face_value_fen * reason.max_deduction_bp
    else:
        assert most <= max(shortfall_fen, 0)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("沃尔玛", "walmart"),
        ("woerma", "walmart"),
        ("wem", "walmart"),
        ("WEMGWK", "walmart"),
        ("wo er ma", "walmart"),
        ("京东e卡", "jd-ecard"),
        ("京东 E 卡", "jd-ecard"),
        ("jdek", "jd-ecard"),
        ("drf", "rt-mart"),
        ("zshczk", "sinopec-topup"),
        ("苹果", "apple"),
        ("ＯＫ卡", "bailian-ok"),
        ("starbucks", "starbucks"),
        ("途牛旅游", "tuniu"),
        ("lvyou", "tuniu"),
        ("金拱门", None),
        ("   ", None),
        (".*", None),
        ("", None),
    ],
)
def test_search_finds_names_pinyin_and_initials(query: str, first: str | None) -> None:
    found = rules.search(BOOK.kinds, query)
    assert (found[0].slug if found else None) == first


def test_search_puts_what_begins_with_the_query_before_what_holds_it() -> None:
    found = [k.slug for k in rules.search(BOOK.kinds, "超市卡")]
    assert found[:2] == ["jd-supermarket", "tmall-supermarket"]
    found = [k.slug for k in rules.search(BOOK.kinds, "美团")]
    assert found == ["meituan", "xiaoxiang"]


def test_search_finds_every_kind_by_each_of_its_aliases() -> None:
    for kind in BOOK.kinds:
        for alias in (kind.name_zh, *kind.aliases):
            assert kind in rules.search(BOOK.kinds, alias), (kind.slug, alias)


@given(st.text(max_size=40))
def test_search_takes_any_text(query: str) -> None:
    assert set(rules.search(BOOK.kinds, query)) <= set(BOOK.kinds)


@given(st.sampled_from(BOOK.kinds), st.integers(-10, 700_000))
def test_a_face_value_that_passes_is_one_the_kind_has(kind: Kind, fen: int) -> None:
    try:
        notices = face(kind, fen)
    except Refusal as refused:
        assert refused.message_zh
        assert "—" not in refused.message_zh + refused.message_en, "every datum of the sentence is there"
        return
    assert 0 < fen <= 500_000
    values = kind.face_values
    if isinstance(values, FaceRange):
        assert values.low_fen <= fen <= values.high_fen
    elif isinstance(values, tuple) and fen not in values:
        assert kind.face_values_open
        assert notices
