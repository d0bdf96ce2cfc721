"""From what a desk person sends (a file or a pasted list) to the text of a price book."""

import csv
import io
from collections.abc import Sequence

from django.core import signing
from django.http import HttpRequest

from huika.domain.catalog import queries as catalog
from huika.kit import safe_tables
from huika.kit.refusals import Refusal

COLUMNS = ("kind", "face_value", "city", "form", "condition", "channel", "ratio")
SELLS = "sells"
KEPT_SECONDS = 3600
MOST_MENDED = 200_000
"""Bytes of a file that are put into a text field to mend."""
_SALT = "huika.desk.book"

# Words that people write in a sheet, beside the ones of the format itself.
_HEADS = {
    "卡种": "kind", "种类": "kind", "卡": "kind", "面值": "face_value", "城市": "city", "形式": "form", "形态": "form",
    "成色": "condition", "状态": "condition", "方式": "channel", "渠道": "channel",
    "折扣率": "ratio", "折扣": "ratio", "比例": "ratio", "回收价": "ratio",
    "卖出价": "sells", "卖出折扣": "sells", "face": "face_value",
}  # fmt: skip
_WORDS = {
    "form": {"电子": "electronic", "电子卡": "electronic", "实体": "physical", "实体卡": "physical"},
    "condition": {"完好": "intact", "没刮": "intact", "未刮": "intact", "刮开": "scratched", "已刮": "scratched"},
    "channel": {"上门": "visit", "线上": "online", "到店": "drop_off"},
    "face_value": {"任意": "*", "不限": "*", "any": "*", "＊": "*"},
}


class NothingSent(Refusal):
    code, status = "nothing_sent", 422
    zh, en = "选一个文件，或者贴一份价目", "Choose a file or paste a list."


class PreviewOld(Refusal):
    code, status = "preview_old", 409
    zh, en = (
        "没有发布：这份预览放久了，下面对照现行的重算了一遍，再看一眼",
        "Not published: this preview was too old. Below it is held against the book in effect once more.",
    )


class PreviewGone(Refusal):
    code, status = "preview_gone", 409
    zh, en = (
        "没有发布：这份预览不是你刚看的那一份，请再传一次",
        "Nothing was published: this is not the preview that you were shown. Please send the list again.",
    )


def sent(request: HttpRequest) -> tuple[str, str]:
    """Of an upload or the pasted list: the book's text, and the text to mend it in, row for row the same; empty where
    a file is too long for that. Raises NothingSent and what safe_tables refuses."""
    upload = request.FILES.get("file")
    if upload is not None:
        if (upload.size or 0) > safe_tables.DEFAULT.size:
            raise safe_tables.TableTooLarge(what="kB", what_zh="大小（kB）", limit=safe_tables.DEFAULT.size // 1000)
        text = canonical(safe_tables.rows(upload.read(), upload.name or ""))
        return text, text if len(text.encode()) <= MOST_MENDED else ""
    pasted = request.POST.get("list", "")
    if not pasted.strip():
        raise NothingSent()
    return canonical(safe_tables.rows(pasted.encode("utf-8", "replace"))), pasted


def canonical(rows: Sequence[Sequence[str]]) -> str:
    """Rows under the format's own header and words, blank ones kept, so that row numbers stay those of the file.

    Columns may come in any order and with Chinese heads; what is not known is left as it is, for the book to refuse.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    top = next((n for n, row in enumerate(rows) if row), 0)
    heads = [_HEADS.get(head.strip().lower(), head.strip().lower()) for head in rows[top]]
    columns = (*COLUMNS, SELLS) if SELLS in heads else COLUMNS
    known = set(heads) == set(columns) and len(heads) == len(columns)
    if top or not known:
        for row in rows:  # as it came: the book says what its first row should be
            write(row)
        return out.getvalue()
    write(columns)
    names = _names()
    for row in rows[1:]:
        ordered = [_word(column, _at(row, heads.index(column)), names) for column in columns]
        write([*ordered, *row[len(heads) :]] if row else [])
    return out.getvalue()


def _at(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _names() -> dict[str, dict[str, str]]:
    kinds = {name: k.slug for k in catalog.kinds() for name in (k.name_zh, k.name_en)}
    cities = {name: c.slug for c in catalog.cities() for name in (c.name_zh, c.name_en)}
    return {**_WORDS, "kind": kinds, "city": cities}


def _word(column: str, value: str, names: dict[str, dict[str, str]]) -> str:
    return names.get(column, {}).get(value, value)


def keep(recycler: object, by: object, version: int, text: str) -> str:
    """A previewed list, signed for this recycler and this person, so that nothing else can be published."""
    return signing.dumps([str(recycler), str(by), version, text], salt=_SALT, compress=True)


def kept(token: str, recycler: object, by: object) -> tuple[int, str, bool]:
    """(version it was looked at against, text, whether that was long ago) of a previewed list. Raises PreviewGone."""
    try:
        to, who, version, text = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise PreviewGone() from error
    if (to, who) != (str(recycler), str(by)):
        raise PreviewGone()
    return version, text, _is_old(token)


def _is_old(token: str) -> bool:
    try:
        signing.loads(token, salt=_SALT, max_age=KEPT_SECONDS)
    except signing.SignatureExpired:
        return True
    return False
