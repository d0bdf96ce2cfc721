"""The batch file: what is written is read again, whatever the names; what differs from what was sent is refused."""

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from huika.adapters.rails import bank_file
from huika.adapters.rails.bank_file import Batch, Payment, read, read_result, write
from huika.domain.settlement.types import RailState
from huika.kit import clock
from huika.kit.refusals import Refusal

AT = datetime(2026, 1, 4, 16, 30, 5, tzinfo=UTC)  # the 5th in Beijing
CARD, OTHER_CARD = "6222021000123456781", "6217000098765432107"
PAY = Payment("W1", CARD, "王小明", 1_05, "工资")


def card(prefix: int) -> str:
    """A valid card number of 19 digits."""
    start = f"62{prefix:016d}"
    return next(number for number in (f"{start}{d}" for d in range(10)) if bank_file.is_card_number(number))


def fits(text: str, most: int) -> bool:
    return bank_file._plain(text) and len(text.encode("gb18030")) <= most


TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
HAN = st.text(st.sampled_from("亅億剕王𠮷龘㐀𰻝ＡＢ·🀄\ue863"), max_size=12)
PAYMENT = st.builds(
    Payment,
    st.from_regex(r"[0-9A-Za-z_\-]{1,32}", fullmatch=True),
    st.integers(0, 10**16 - 1).map(card),
    (TEXT | HAN).filter(lambda text: text != "" and fits(text, 60)),
    st.integers(1, 10**12 - 1),
    (TEXT | HAN).filter(lambda text: fits(text, 60)),
)
ROWS = st.lists(PAYMENT, min_size=1, max_size=6, unique_by=lambda row: row.number)


def result_of(
    batch: Batch, states: list[tuple[str, str]], edit: Callable[[list[str]], list[str]] = list, **head: str
) -> bytes:
    """A result file, written by itself; `edit` changes its lines before the digest is made."""
    sums = {"kind": "R", "file_no": batch.file_no, "count": str(len(batch.rows)), "total": yuan(batch.total_fen)}
    sums |= {"at": "20260105120000"} | head
    lines = ["|".join(sums.values())]
    for row, (state, reason) in zip(batch.rows, states, strict=True):
        lines.append(f"{row.number}|{row.account}|{row.name}|{yuan(row.amount_fen)}|{row.remark}|{state}|{reason}")
    before = "".join(f"{line}\n" for line in edit(lines)).encode("gb18030")
    return before + f"T|{hashlib.sha256(before).hexdigest()}\n".encode()


def yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


# -- writing and reading


def test_the_shape_of_a_file() -> None:
    content = write([PAY, Payment("W2", OTHER_CARD, "李雷", 20_00)], "B1", AT)
    lines = content.decode("gb18030").split("\n")
    assert lines[:3] == ["H|B1|2|21.05|20260105003005", f"W1|{CARD}|王小明|1.05|工资", f"W2|{OTHER_CARD}|李雷|20.00|"]
    assert lines[3:] == [f"T|{hashlib.sha256(content[: content.rindex(b'T|')]).hexdigest()}", ""]


@settings(max_examples=60)
@given(ROWS, st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)))
@example([replace(PAY, name="億亅剕", remark="倈")], AT)
@example([replace(PAY, name="𠮷野·阿卜杜拉")], AT)
def test_what_is_written_is_read_again(rows: list[Payment], at: datetime) -> None:
    batch = read(write(rows, "B1", at))
    assert batch == Batch("B1", at.replace(microsecond=0).astimezone(clock.SHANGHAI), tuple(rows))
    results = read_result(result_of(batch, [("SUCCESS", "")] * len(rows)), batch)
    assert [result.payment for result in results] == rows


@settings(max_examples=60)
@given(ROWS, st.data())
def test_a_file_with_any_byte_changed_is_refused(rows: list[Payment], data: st.DataObject) -> None:
    content = bytearray(write(rows, "B1", AT))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Refusal):
        read(bytes(content))


@settings(max_examples=60)
@given(ROWS, st.data())
def test_a_file_that_broke_off_is_refused(rows: list[Payment], data: st.DataObject) -> None:
    content = write(rows, "B1", AT)
    with pytest.raises(Refusal):
        read(content[: data.draw(st.integers(0, len(content) - 1))])


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_is_written_as_it_is_or_refused_in_words(name: str, remark: str) -> None:
    row = replace(PAY, name=name, remark=remark)
    try:
        content = write([row], "B1", AT)
    except bank_file.FieldRefused as refused:
        assert refused.data["why"] and refused.data["why_zh"]
        return
    assert read(content).rows == (row,)
    assert content.decode("gb18030").count("\n") == 3


@pytest.mark.parametrize(
    "name",
    [
        "",
        "王|小明",
        "王｜小明",
        "王\n小明",
        "王\r小明",
        "王\t小明",
        "王\x00小明",
        "王\x85小明",
        "王\u2028小明",
        "王\u2029小明",
        "王\u202e小明",
        "王\u200b小明",
        "王\ufeff小明",
        " 王小明",
        "王小明\u3000",
        "\ud83c王",
        "\udc80",
        "名" * 31,
        "𠮷" * 16,
        "a" * 61,
    ],
)
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(bank_file.FieldRefused) as refused:
        write([PAY, replace(PAY, number="W2", name=name)], "B1", AT)
    assert refused.value.data["row"] == 2
    assert "第 2 笔" in refused.value.message_zh and "Payment 2" in refused.value.message_en
    with pytest.raises(bank_file.FieldRefused):
        write([replace(PAY, remark=name or "\n")], "B1", AT)


@pytest.mark.parametrize("name", ["名" * 30, "𠮷" * 15, "a" * 60, "ＡＢＣ", "阿卜杜拉·买买提", "億亅", "\ue863", "𰻝"])
def test_long_wide_and_rare_names_stand(name: str) -> None:
    assert read(write([replace(PAY, name=name)], "B1", AT)).rows[0].name == name


def test_no_character_but_a_separator_turns_into_one() -> None:
    """Every character that a narrowing bank would read as a separator is known."""
    turning = [c for c in range(0x110000) if "|" in unicodedata.normalize("NFKC", chr(c))]
    assert [chr(c) for c in turning] == ["|", "｜"]
    inside = [chr(c) for c in range(0x4E00, 0xA000) if b"|" in chr(c).encode("gb18030")]
    assert "億" in inside and all(bank_file._plain(char) for char in inside)


@pytest.mark.parametrize(
    "other",
    [
        {"number": ""},
        {"number": "W" * 33},
        {"number": "W|1"},
        {"number": "W1\n"},
        {"account": f"{CARD[:-1]}9"},
        {"account": "o-seller"},
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"amount_fen": 10**12},
    ],
)
def test_other_fields_keep_their_rules(other: dict[str, object]) -> None:
    with pytest.raises(bank_file.FieldRefused):
        write([replace(PAY, **other)], "B1", AT)


def test_count_and_numbers_of_a_file() -> None:
    many = [replace(PAY, number=f"W{n}") for n in range(bank_file.MOST_ROWS + 1)]
    assert len(read(write(many[:-1], "B1", AT)).rows) == bank_file.MOST_ROWS
    for rows in ([], many):
        with pytest.raises(bank_file.SizeRefused):
            write(rows, "B1", AT)
    with pytest.raises(bank_file.FieldRefused, match="twice"):
        write([PAY, PAY], "B1", AT)
    for file_no, at in (("B|1", AT), ("", AT), ("B1", AT.replace(tzinfo=None))):
        with pytest.raises(ValueError, match="moment"):
            write([PAY], file_no, at)


@pytest.mark.parametrize("content", [b"", b"\n", b"H|B1|1|1.05|x\n", b"\xff\xff\n\n\n\n", b"H|B1\nx\nT|y\n"])
def test_what_is_no_file_is_refused(content: bytes) -> None:
    with pytest.raises(bank_file.Unreadable):
        read(content)


# -- results

BATCH = Batch("B1", AT, (PAY, Payment("W2", OTHER_CARD, "億亅", 20_00), Payment("W3", CARD, "李雷", 1, "x")))
PAID = [("SUCCESS", "")] * 3


def test_states_are_mapped_one_by_one() -> None:
    states = [("SUCCESS", ""), ("FAILED", "NAME_DIFFERS"), ("RETURNED", "ACCOUNT_CLOSED")]
    found = [(r.state, r.reason) for r in read_result(result_of(BATCH, states), BATCH)]
    assert found == [
        (RailState.PAID, ""),
        (RailState.FAILED, "NAME_DIFFERS"),
        (RailState.FAILED, "RETURNED"),
    ]
    states = [("PROCESSING", ""), ("success", ""), ("", "")]
    assert {r.state for r in read_result(result_of(BATCH, states), BATCH)} == {RailState.PENDING}


def without(place: int) -> Callable[[list[str]], list[str]]:
    return lambda lines: lines[:place] + lines[place + 1 :]


def swapped(old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [lines[0], *(line.replace(old, new, 1) for line in lines[1:])]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (result_of(BATCH, PAID, file_no="B2"), bank_file.FileNumberDiffers),
        (result_of(BATCH, PAID, count="2"), bank_file.CountDiffers),
        (result_of(BATCH, PAID, count="03"), bank_file.CountDiffers),
        (result_of(BATCH, PAID, without(2)), bank_file.CountDiffers),
        (result_of(BATCH, PAID, without(2), count="2"), bank_file.CountDiffers),
        (result_of(BATCH, PAID, lambda lines: [*lines, lines[-1]]), bank_file.CountDiffers),
        (result_of(BATCH, PAID, total="21.07"), bank_file.TotalDiffers),
        (result_of(BATCH, PAID, total="21.060"), bank_file.TotalDiffers),
        (result_of(BATCH, PAID, swapped("1.05", "1.06")), bank_file.RowDiffers),
        (result_of(BATCH, PAID, swapped("1.05", "1.050")), bank_file.RowDiffers),
        (result_of(BATCH, PAID, swapped(OTHER_CARD, CARD)), bank_file.RowDiffers),
        (result_of(BATCH, PAID, swapped("億亅", "亿亅")), bank_file.RowDiffers),
        (result_of(BATCH, PAID, swapped("W3", "W4")), bank_file.RowDiffers),
        (result_of(BATCH, PAID, swapped("|x|", "||")), bank_file.RowDiffers),
        (result_of(BATCH, PAID, swapped("|SUCCESS|", "|SUCCESS||")), bank_file.RowDiffers),
        (result_of(BATCH, PAID, swapped("|SUCCESS|", "")), bank_file.RowDiffers),
        (result_of(BATCH, PAID, lambda lines: [*lines[:2], "", *lines[3:]]), bank_file.RowDiffers),
        (result_of(BATCH, PAID, lambda lines: [lines[0], *lines[:0:-1]]), bank_file.RowDiffers),
        (result_of(BATCH, [*PAID[:2], ("FAILED", "<b>")]), bank_file.Unreadable),
        (result_of(BATCH, PAID, kind="H"), bank_file.Unreadable),
        (result_of(BATCH, PAID, at="2026-01-05"), bank_file.Unreadable),
        (result_of(BATCH, PAID)[:-1], bank_file.Unreadable),
        (result_of(BATCH, PAID).replace(b"SUCCESS", b"FAILED_", 1), bank_file.DigestDiffers),
        (write(BATCH.rows, "B1", AT), bank_file.Unreadable),
        (b"", bank_file.Unreadable),
    ],
)
def test_a_result_that_differs_is_refused(content: bytes, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as refused:
        read_result(content, BATCH)
    assert "—" not in refused.value.message_zh + refused.value.message_en


def test_every_refusal_speaks_both_languages_and_has_its_own_code() -> None:
    kinds = [kind for kind in vars(bank_file).values() if isinstance(kind, type) and issubclass(kind, Refusal)]
    own = [kind for kind in kinds if kind.__module__ == bank_file.__name__]
    assert len(own) == 8
    assert len({kind.code for kind in own}) == len(own)
    for kind in own:
        assert any("一" <= char <= "鿿" for char in kind.zh) and kind.en.isascii()
