"""So often and no oftener: one count a bucket and window, in PostgreSQL, the same for every process and machine.

A bucket is named by what is limited and for whom (`staff.address:203.0.113.7`); only a keyed digest of it is stored.
"""

import hashlib
import hmac
import ipaddress
from datetime import UTC, datetime, timedelta
from math import ceil

from django.db import connection

from huika.kit import clock
from huika.kit.derived import secret_key
from huika.kit.refusals import Refusal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TooMany(Refusal):
    code, status = "too_many", 429
    zh, en = "太频繁了，{retry_seconds} 秒后再试", "Too often; try again in {retry_seconds} seconds."


def spend(bucket: str, most: int, seconds: int) -> None:
    """Count one more in this window of `seconds`; TooMany(retry_seconds=…) when `most` are counted already.

    Call it before the action and outside its transaction: a count that a refusal takes back limits nothing.
    """
    at = clock.now()
    digest = hmac.new(secret_key("rates"), bucket.encode(), hashlib.sha256).digest()
    # Windows of different buckets end at different moments, so that not everybody is let in again at once.
    shift = timedelta(seconds=int.from_bytes(digest[:4], "big") % seconds)
    length = timedelta(seconds=seconds)
    ends_at = at + length - (at - _EPOCH + shift) % length
    with connection.cursor() as cursor:
        # The row that is full is left alone, and then nothing is returned.
        cursor.execute(
            "INSERT INTO kit_spent AS s (bucket, ends_at, times) VALUES (%s, %s, 1)"
            " ON CONFLICT (bucket, ends_at) DO UPDATE SET times = s.times + 1 WHERE s.times < %s RETURNING times",
            [digest, ends_at, most],
        )
        if cursor.fetchone() is None:
            raise TooMany(retry_seconds=ceil((ends_at - at).total_seconds()))


def network(address: str) -> str:
    """An address as a bucket: IPv4 as it is, IPv6 by its /64, which one household or phone has to itself."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def forget() -> None:
    """Take away the counts of windows that are over."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kit_spent WHERE ends_at < %s", [clock.now()])
