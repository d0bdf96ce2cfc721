"""`huika market`: compare one card; save a comparison's record; rank a record again and hold receipts against it."""

import json
import os
import re
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import django

from huika.domain.market.errors import RecordUnreadable
from huika.domain.market.types import Checked, Offer
from huika.faces.cli import tools
from huika.faces.cli.tools import Add
from huika.kit.money import yuan
from huika.kit.refusals import Refusal
from huika.kit.tlog.note import Verifier

_FEN = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_SPOILT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What reading raises where something is missing from a file, or is of another kind than it should be."""


class Wrong(Refusal):
    """Something that was named on the command line cannot be used. Data: why, why_zh."""

    code, status = "command_wrong", 422
    zh, en = "请看一下：{why_zh}", "Please check: {why}"


def add_commands(add: Add) -> None:
    """Register `market`."""
    market = add("market", "compare one card: KIND FEN; or rank a comparison's record again: replay RECORD")
    market.add_argument("what", help="a kind of card, or: replay, record")
    market.add_argument("target", help="face value in fen; replay: a file or a comparison; record: a comparison")
    market.add_argument("--form", choices=("electronic", "physical"), default="electronic")
    market.add_argument("--city", default="shanghai")
    market.add_argument("--receipt", action="append", default=[], help="replay: a recycler's quote receipt (a file)")
    market.add_argument("--book", action="append", default=[], help="replay: a recycler's receipt of its book (a file)")
    market.add_argument(
        "--signer", action="append", default=[], help="replay: proof of a recycler's signing key (a file)"
    )
    market.add_argument("--key", action="append", default=[], help="replay: the log's vkey, or a file with vkeys")
    market.set_defaults(run=tools.guarded(run_market))


def run_market(args: Namespace) -> int:
    """One of the three."""
    if args.what == "replay":
        return _replay(args)
    return _record(args) if args.what == "record" else _compare(args)


def _compare(args: Namespace) -> int:
    """Offers and absences for one card."""
    if not _FEN.fullmatch(args.target):
        raise Wrong(
            why_zh=f"面值写成整数的分，¥1,000 写 100000；这里写的是「{args.target}」",
            why=f"The face value is a whole number of fen, 100000 for ¥1,000; this is “{args.target}”.",
        )
    face_fen = int(args.target)
    tools.connect()
    from huika.domain.catalog import queries as catalog
    from huika.domain.field import queries as field
    from huika.domain.market import actions, queries
    from huika.domain.market.types import Line
    from huika.domain.parties import queries as people

    catalog.check_card(args.what, args.form, face_fen)
    district = next((d.slug for d in catalog.districts(args.city)), "")
    if not district:
        name = catalog.city(args.city)
        raise Wrong(why_zh=f"{name.name_zh}还没有能上门的区", why=f"No district of {name.name_en} is known.")
    made = actions.compare(
        args.city,
        district,
        [Line(1, args.what, face_fen, args.form)],
        served=field.area(args.city, district) is not None,
        covered=frozenset(r.id for r in people.recyclers()),
    )
    found = queries.comparison(made)
    lines = [_offer(offer) for offer in found.ranking.offers]
    lines += [f"{'—':>12}  {a.name_zh}  {a.zh}" for a in found.ranking.absences]
    return tools.show(args, asdict(found), [*lines, f"comparison {made}"])


def _offer(offer: Offer) -> str:
    """Its net, whose it is, and how much less than the best it brings; a reserve with its day."""
    said = [f"{yuan(offer.net_fen):>12}", " + ".join(lot.name_zh for lot in offer.lots)]
    if offer.lower_by_fen:
        said.append(f"{'-' if offer.lower_by_fen > 0 else '+'}{yuan(abs(offer.lower_by_fen))}")
    if offer.reserve_fen:
        later, days = yuan(offer.reserve_fen), offer.reserve_days
        said.append(f"其中 {later} {days} 天后付 {later} of it after {_count(days, 'day')}")
    return "  ".join(said)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _record(args: Namespace) -> int:
    """The record of a comparison of this installation as one JSON object, as `replay` reads it."""
    comparison = _comparison(args.target)
    tools.connect()
    from huika.domain.market import queries

    print(json.dumps(queries.record_file(comparison), ensure_ascii=False))
    return 0


def _replay(args: Namespace) -> int:
    """Exit 0 only where the record ranks again to the same and nothing that was shown contradicts it.

    A file needs no database and no network. Of a comparison of this installation the stored books are read as well.
    """
    findings: list[str] = []
    keys = _keys(args.key)
    if (args.book or args.signer) and not keys:
        raise Wrong(
            why_zh="价目表和签名密钥的回执要对着日志核对：用 --key 给出日志的公钥",
            why="A receipt of a book or of a signing key is held against the log: name its key with --key.",
        )
    receipts = [_object(name) for name in args.receipt]
    books, signing = ([_text(name) for name in of] for of in (args.book, args.signer))
    if _is_file(args.target):
        kept = _object(args.target)
        os.environ.setdefault("HUIKA_SETTING", "demo")
        django.setup()
    else:
        comparison = _comparison(args.target)
        tools.connect()
        from huika.domain.market import queries

        kept = queries.record_file(comparison)
        findings += queries.books_left_out(comparison)
    head = _head(kept, args.target)
    checked = _checked(kept, receipts, books, keys, signing)
    findings = [*checked.findings, *findings]
    best = "no offer" if checked.best_net_fen is None else f"best net {yuan(checked.best_net_fen)}"
    lines = [
        f"{'✗' if findings else '✓'} {head['comparison']} · {head['at']}",
        f"  {_count(checked.entries, 'recycler')}, {_count(checked.offers, 'offer')}, {best}",
        f"  {_root(checked.place, bool(keys))}",
        *(f"  recycler {who} signed with {key}" for who, key in checked.signers),
        *(f"  ✗ {text}" for text in findings),
    ]
    tools.show(
        args, {"ok": not findings, "comparison": head["comparison"], **asdict(checked), "findings": findings}, lines
    )
    return 1 if findings else 0


def _checked(
    kept: dict[str, Any], receipts: list[dict[str, Any]], books: list[str], keys: list[str], signing: list[str]
) -> Checked:
    """The record held against everything that was named, or why it cannot be, in words for people."""
    from huika.domain.market import queries

    try:
        return queries.check_record(kept, receipts, books, keys, signing)
    except RecordUnreadable as refusal:
        if _said(refusal):
            raise
    except _SPOILT:
        pass
    raise Wrong(
        why_zh="核对不了：比价记录或某张回执里少了内容，或者被改坏了",
        why="This cannot be checked: something is missing from the record or from a receipt, or was spoilt.",
    )


def _said(refusal: BaseException) -> bool:
    """Whether a refusal names its reason itself, and does not repeat what a reader stumbled over."""
    cause = refusal.__cause__
    while cause is not None and not isinstance(cause, Refusal):
        if isinstance(cause, _SPOILT):
            return False
        cause = cause.__cause__
    return True


def _root(place: int | None, keys: bool) -> str:
    if place is not None:
        return f"root in the log, entry {place}"
    return "the log does not hold this root" if keys else NO_KEY


NO_KEY = "root not held against the log: name the log's key with --key"


def _comparison(text: str) -> UUID:
    """The id of a comparison, where no file is called so."""
    try:
        return UUID(text)
    except ValueError:
        raise Wrong(
            why_zh=f"没有叫「{text}」的文件，它也不是比价的编号（像 01a207c6-0304-7dcf-b465-b15cd8eab5d2）",
            why=f"There is no file “{text}”, and it is no comparison's id (like 01a207c6-0304-7dcf-b465-b15cd8eab5d2).",
        ) from None


def _keys(named: list[str]) -> list[str]:
    """The log's vkeys, given as they are or as files of them."""
    keys = [line for key in named for line in (tools.vkeys(key) if _is_key(key) else _text(key).split())]
    for key in keys:
        try:
            Verifier.from_vkey(key)
        except ValueError:
            raise Wrong(
                why_zh=f"这不是日志的公钥：{key[:80]}", why=f"This is not a key of the log: {key[:80]}"
            ) from None
    return keys


def _is_key(text: str) -> bool:
    return "+" in text and not _is_file(text)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # a name that is too long for one
        return False


def _text(name: str) -> str:
    """A file's text, byte for byte."""
    try:
        return tools.text_of(name)
    except FileNotFoundError:
        raise Wrong(why_zh=f"没有这个文件：{name}", why=f"There is no such file: {name}") from None
    except ValueError:
        raise Wrong(why_zh=f"这不是文本文件：{name}", why=f"This is not a text file: {name}") from None
    except OSError:
        raise Wrong(why_zh=f"这个文件读不了：{name}", why=f"This file cannot be read: {name}") from None


def _object(name: str) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        found = json.loads(_text(name))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Wrong(
            why_zh=f"里面不是一个 JSON 对象，不像比价记录或回执：{name}",
            why=f"This is not one JSON object, so no record and no receipt: {name}",
        )
    return found


def _head(kept: dict[str, Any], name: str) -> dict[str, str]:
    """What a record was made of: its comparison and when."""
    match kept:
        case {"record": {"head": {"comparison": str(comparison), "at": str(at)}}}:
            return {"comparison": comparison, "at": at}
    raise Wrong(why_zh=f"这不是比价记录：{name}", why=f"This is not the record of a comparison: {name}")
