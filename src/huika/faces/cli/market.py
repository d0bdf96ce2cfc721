"""`huika market`: compare one card; save a comparison's record; rank a record again and hold receipts against it."""

import json
import os
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import django

from huika.faces.cli import tools
from huika.faces.cli.tools import Add


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
    tools.connect()
    from huika.domain.catalog import queries as catalog
    from huika.domain.field import queries as field
    from huika.domain.market import actions, queries
    from huika.domain.market.types import Line
    from huika.domain.parties import queries as people
    from huika.kit.money import yuan

    face_fen = int(args.target)
    catalog.check_card(args.what, args.form, face_fen)
    district = catalog.districts(args.city)[0].slug
    made = actions.compare(
        args.city,
        district,
        [Line(1, args.what, face_fen, args.form)],
        served=field.area(args.city, district) is not None,
        covered=frozenset(r.id for r in people.recyclers()),
    )
    found = queries.comparison(made)
    lines = [f"{yuan(o.net_fen):>12}  {o.lots[0].name_zh}  -{yuan(o.lower_by_fen)}" for o in found.ranking.offers]
    lines += [f"{'—':>12}  {a.name_zh}  {a.zh}" for a in found.ranking.absences]
    return tools.show(args, asdict(found), [*lines, f"comparison {made}"])


def _record(args: Namespace) -> int:
    """The record of a comparison of this installation as one JSON object, as `replay` reads it."""
    tools.connect()
    from huika.domain.market import queries

    print(json.dumps(queries.record_file(UUID(args.target)), ensure_ascii=False))
    return 0


def _replay(args: Namespace) -> int:
    """Exit 0 only where the record ranks again to the same and nothing that was shown contradicts it.

    A file needs no database and no network. Of a comparison of this installation the stored books are read as well.
    """
    findings: list[str] = []
    if Path(args.target).is_file():
        os.environ.setdefault("HUIKA_SETTING", "demo")
        django.setup()
        from huika.domain.market import queries

        kept = _read(args.target)
    else:
        tools.connect()
        from huika.domain.market import queries

        comparison = UUID(args.target)
        kept = queries.record_file(comparison)
        findings += queries.books_left_out(comparison)
    keys = [line for key in args.key for line in tools.vkeys(key)]
    if (args.book or args.signer) and not keys:
        raise ValueError("a receipt of a book or of a signing key is held against the log: name its key with --key")
    books, signing = ([Path(name).read_text(encoding="utf-8") for name in of] for of in (args.book, args.signer))
    checked = queries.check_record(kept, [_read(name) for name in args.receipt], books, keys, signing)
    findings = [*checked.findings, *findings]
    head = kept["record"]["head"]
    lines = [
        f"{'✗' if findings else '✓'} {head['comparison']} · {head['at']}",
        f"  {checked.entries} recyclers, {checked.offers} offers, best net {checked.best_net_fen} fen",
        f"  {_root(checked.place, bool(keys))}",
        *(f"  recycler {who} signed with {key}" for who, key in checked.signers),
        *(f"  ✗ {text}" for text in findings),
    ]
    tools.show(
        args, {"ok": not findings, "comparison": head["comparison"], **asdict(checked), "findings": findings}, lines
    )
    return 1 if findings else 0


def _root(place: int | None, keys: bool) -> str:
    if place is not None:
        return f"root in the log, entry {place}"
    return "the log does not hold this root" if keys else NO_KEY


NO_KEY = "root not held against the log: name the log's key with --key"


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(name).read_text(encoding="utf-8"))
    return found
