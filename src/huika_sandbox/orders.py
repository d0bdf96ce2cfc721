"""What a merchant may ask of the wallet: the body of a transfer, checked field by field.

Scene 1010 (second-hand buyback): https://pay.weixin.qq.com/doc/v3/merchant/4013774592.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from . import fields
from .rail_transfers import Order
from .store import fingerprint
from .web import Refusal

SCENE = "1010"
PERCEPTION = "二手回收货款"
REPORT_TYPE = "回收商品名称"
NAME_NEEDED_FROM_FEN = 200_000

_BILL_NO = re.compile(r"[0-9A-Za-z]{1,32}")


def read_order(document: Mapping[str, Any], appid: str, name: str | None) -> Order:
    """Check a transfer's body. `name` is the payee's name, decrypted, or None if none was given.

    Raises Refusal 400: PARAM_ERROR for a field that breaks its rule, INVALID_REQUEST for what the merchant may not do.
    """
    if document.get("appid") != appid:
        raise Refusal(400, "INVALID_REQUEST", "appid 与商户号不匹配")
    if document.get("transfer_scene_id") != SCENE:
        raise Refusal(400, "INVALID_REQUEST", "你尚未获取该转账场景")
    if document.get("user_recv_perception", PERCEPTION) != PERCEPTION:
        raise Refusal(400, "INVALID_REQUEST", "暂不支持展示当前传入的用户收款感知")
    _check_report(document.get("transfer_scene_report_infos"))
    amount_fen = fields.fen(document, "transfer_amount")
    if name is None and amount_fen >= NAME_NEEDED_FROM_FEN:
        raise fields.wrong("user_name", f"needed from {NAME_NEEDED_FROM_FEN} fen")
    return Order(
        number=fields.text(document, "out_bill_no", 32, _BILL_NO),
        account=fields.text(document, "openid", 64),
        name="",  # compared by the caller and gone
        amount_fen=amount_fen,
        remark=fields.text(document, "transfer_remark", 32),
        notify_url=notify_url(document),
        # A name is encrypted anew each time: two requests are compared by what it says.
        whole=fingerprint({**document, "user_name": name}),
    )


def _check_report(report: object) -> None:
    if not isinstance(report, list) or len(report) != 1 or not isinstance(report[0], dict):
        raise Refusal(400, "PARAM_ERROR", "需传入转账场景报备信息，请检查")
    if report[0].get("info_type") != REPORT_TYPE:
        raise fields.wrong("info_type", f"scene {SCENE} knows {REPORT_TYPE} alone")
    fields.text(report[0], "info_content", 32)


def notify_url(document: Mapping[str, Any]) -> str | None:
    """Where callbacks go: an address on this machine, if any. Raises Refusal 400 PARAM_ERROR."""
    if document.get("notify_url") is None:
        return None
    url = fields.text(document, "notify_url", 256)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port_fits = parts.port != 0
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = port_fits = False
    if not local or not port_fits or parts.scheme not in ("http", "https") or "?" in url or "#" in url or "@" in url:
        raise fields.wrong("notify_url", "an http address on this machine without parameters is needed")
    return url
