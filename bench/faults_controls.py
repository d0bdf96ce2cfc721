"""What must fail, so that the oracles are known to bite: a ledger without its unique keys, and a rail client that sends
again under a new number when it gets no answer. `bench.faults_controls` is also the settings module of that client's
workers."""

import re
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import uuid4

from huika.adapters.rails.wechat import WechatTransfer
from huika.config.settings import *  # noqa: F403
from huika.config.settings import PORTS
from huika.domain.settlement.types import RailAnswer
from huika.kit.safe_http import NoAnswer, NotSent

PORTS = {**PORTS, "rail.wallet": "bench.faults_controls.SendsAgain"}

UNIQUE = """
SELECT t.relname, i.relname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE x.indisunique AND NOT x.indisprimary AND pg_get_indexdef(x.indexrelid) LIKE '%key)%'
AND t.relname IN ('ledger_posting', 'ledger_holdmove', 'kit_idempotencykey')
"""
FUNCTIONS = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname IN ('ledger_post', 'ledger_capture')"


class SendsAgain(WechatTransfer):
    """No answer, so once more under another number: the mistake that the real client does not make."""

    def create(self, number: str, account: str, name: str, amount_fen: int, remark: str, at: datetime) -> RailAnswer:
        """Pay, whatever it takes."""
        try:
            return super().create(number, account, name, amount_fen, remark, at)
        except NoAnswer:
            with suppress(NoAnswer, NotSent):
                super().create(f"HK{uuid4().hex[:30].upper()}", account, name, amount_fen, remark, at)
            raise


def without_keys(connection: Any) -> list[str]:
    """Drop the unique keys of postings and requests; the ledger's functions just insert. What was dropped."""
    dropped = []
    for table, index in connection.execute(UNIQUE).fetchall():
        owned = connection.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [index]).fetchone()
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {index}" if owned else f"DROP INDEX {index}")
        dropped.append(index)
    for (text,) in connection.execute(FUNCTIONS).fetchall():
        changed, times = re.subn(r"ON CONFLICT \(key\) DO NOTHING", "", text)
        if not times:
            raise RuntimeError("the ledger's functions look otherwise than the control expects")
        connection.execute(changed)
    return dropped


def just_insert(claim: Any) -> bool:
    """In place of kit.change._take: no key is ever known."""
    from django.db import connection

    from huika.kit import clock

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kit_idempotencykey (scope, key, request_hash, at) VALUES (%s, %s, %s, %s)",
            [claim.scope, claim.key, claim.request_hash, clock.now()],
        )
    return True
