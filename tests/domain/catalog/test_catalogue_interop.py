"""Row by row: the project's own data says what the collected catalogue and the article say."""

import csv
import os
from decimal import Decimal
from pathlib import Path

import pytest

from huika.domain.catalog import files
from huika.domain.catalog.types import FaceRange, Kind

pytestmark = pytest.mark.interop

SHARED = Path(os.environ.get("HUIKA_SHARED", Path(__file__).parents[3].parent / "shared"))
BOOK = files.book()


def collected(name: str) -> list[dict[str, str]]:
    path = SHARED / "data" / name
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is missing")
        pytest.skip(f"{path} is missing")
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def bp(share: str) -> int | None:
    return int(Decimal(share) * 10_000) if share else None


def in_yuan(kind: Kind) -> str:
    """Face values in the notation of the collected catalogue."""
    values = kind.face_values
    if isinstance(values, FaceRange):
        return f"range:{values.low_fen // 100}-{values.high_fen // 100}"
    if isinstance(values, tuple):
        assert all(fen % 100 == 0 for fen in values)
        return "|".join(str(fen // 100) for fen in values)
    return values or ""


def test_every_kind_is_there_and_says_the_same() -> None:
    rows = collected("catalogue.csv")
    assert len(rows) == 48
    kinds = {k.name_zh: k for k in BOOK.kinds}
    issuers = {i.slug: i.name_zh for i in BOOK.issuers}
    assert kinds.keys() == {row["name_zh"] for row in rows}
    for row in rows:
        kind = kinds[row["name_zh"]]
        restated = {
            "issuer": issuers[kind.issuer_id],
            "name_zh": kind.name_zh,
            "name_en": kind.name_en,
            "kind": kind.form,
            "scope": kind.scope,
            "face_values": in_yuan(kind),
            "face_note": kind.face_note,
            "number_regex": " ".join(kind.number_patterns),
            "number_note": kind.number_note,
            "pin_regex": " ".join(kind.pin_patterns),
            "pin_note": kind.pin_note,
            "validity": kind.validity_note,
            "registered": kind.registered,
            "lock_electronic": kind.lock_electronic or "",
            "lock_plastic": kind.lock_plastic or "",
            "balance_channel": "|".join(kind.balance_channels) or "none",
            "seller_can_report_lost": kind.seller_can_report_lost,
            "source": kind.source,
        }
        assert restated == {column: row[column] for column in restated}, kind.slug
        assert (kind.ratio_low_bp, kind.ratio_high_bp) == (bp(row["ratio_low"]), bp(row["ratio_high"])), kind.slug
        assert row["lock_trust"].startswith(kind.lock_trust), kind.slug
        assert bool(row["scope_note"]) == bool(kind.scope_note_zh) == bool(kind.scope_note_en), kind.slug


def test_every_claim_on_platforms_is_there_and_says_the_same() -> None:
    rows = collected("platforms.csv")
    claims = {c.name_zh: c for c in BOOK.platform_claims}
    assert claims.keys() == {row["named_in_article"] for row in rows}
    for row in rows:
        claim = claims[row["named_in_article"]]
        assert claim.platform_kind == row["platform_kind"]
        assert (claim.share_low_bp, claim.share_high_bp) == (bp(row["share_paid_low"]), bp(row["share_paid_high"]))
        complaints = (bp(row["complaint_rate_low"]), bp(row["complaint_rate_high"]))
        assert (claim.complaint_low_bp, claim.complaint_high_bp) == complaints
        minutes = [None if m is None else str(m) for m in (claim.response_low_minutes, claim.response_high_minutes)]
        assert minutes == [row["response_minutes_low"] or None, row["response_minutes_high"] or None]
        assert (claim.trust, claim.conflicts_with, claim.source) == (
            row["status"],
            row["conflicts_with"],
            row["source"],
        )
        assert bool(claim.cities_zh) == bool(claim.cities_en) == bool(row["cities"])
