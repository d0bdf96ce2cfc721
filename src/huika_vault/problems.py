"""Every refusal of the vault: its code, HTTP status and words in English and Chinese (RFC 9457)."""

from starlette.responses import JSONResponse

# code: (HTTP status, English, Chinese)
REFUSALS: dict[str, tuple[int, str, str]] = {
    "request.too_large": (413, "The request body is larger than 16 kB.", "请求内容超过 16 kB。"),
    "request.malformed": (422, "The request body is not what this call takes.", "请求内容格式不正确。"),
    "request.origin": (403, "Pages of this origin may not call the vault.", "该来源的页面不得调用保险库。"),
    "request.not_found": (404, "There is nothing at this address.", "此地址不存在。"),
    "request.method": (405, "This address does not take this method.", "此地址不支持该请求方法。"),
    "capability.missing": (401, "The call carries no capability.", "请求未携带授权凭证。"),
    "capability.malformed": (401, "The capability is not in the agreed form.", "授权凭证格式不正确。"),
    "capability.unknown_key": (401, "The capability's signing key is not known.", "授权凭证的签名密钥未登记。"),
    "capability.bad_signature": (401, "The capability's signature is wrong.", "授权凭证签名不正确。"),
    "capability.expired": (401, "The capability has expired.", "授权凭证已过期。"),
    "capability.too_long": (401, "The capability lives longer than 300 seconds.", "授权凭证有效期超过 300 秒。"),
    "capability.wrong_verb": (403, "The capability is for another verb.", "授权凭证不适用于此操作。"),
    "capability.wrong_args": (
        403,
        "The capability's arguments are not those of its verb.",
        "授权凭证的参数与操作不符。",
    ),
    "capability.wrong_card": (403, "The card belongs to another order.", "该卡不属于授权凭证所列订单。"),
    "capability.wrong_picture": (403, "The card was sealed with another picture.", "授权凭证所列照片与该卡不符。"),
    "capability.reused": (409, "This capability was used for another request.", "该授权凭证已用于另一请求。"),
    "seal.other_key": (409, "It was sealed to another key: fetch the key again.", "加密密钥已更换，请重新获取。"),
    "seal.does_not_open": (
        422,
        "It does not open for this order, card and picture.",
        "密文无法按此订单、卡片和照片解开。",
    ),
    "seal.bad_plaintext": (422, "What was sealed is not a card number and a PIN.", "密封内容不是卡号与密码。"),
    "seal.holds_pin": (422, "This call takes a number without its PIN.", "此操作只接受卡号，不接受密码。"),
    "seal.other_number": (
        409,
        "The sealed number is not the one in the card's picture.",
        "密封的卡号与照片上的不同。",
    ),
    "seal.too_often": (409, "This card was sealed five times already.", "该卡已密封五次，不能再次密封。"),
    "card.unknown": (404, "The vault holds no such card.", "保险库中没有此卡。"),
    "card.used": (409, "The card has been bound or redeemed; its PIN is wiped.", "该卡已绑定或兑换，密码已清除。"),
    "card.changed": (409, "The card's PIN was changed by the vault.", "该卡密码已由保险库修改。"),
    "card.wiped": (409, "The card went back to its seller; its PIN is wiped.", "该卡已退还卖家，密码已清除。"),
    "card.returned": (409, "The card went back to its seller.", "该卡已退还卖家。"),
    "card.sold": (409, "The card is sold: it cannot be sealed again.", "该卡已成交，不能再次密封。"),
    "card.released": (409, "The card was released: it cannot be sealed again.", "该卡已交付，不能再次密封。"),
    "card.unsettled": (409, "An operation at the issuer is still open for this card.", "该卡在发卡方尚有未决操作。"),
    "card.no_pin": (409, "The card was sealed without a PIN.", "该卡密封时没有密码。"),
    "card.tampered": (500, "The card's row does not open: altered, or wrapped with other keys.", "该卡记录无法解开。"),
    "issuer.none": (503, "No issuer interface is configured.", "未配置发卡方接口。"),
    "release.bad_key": (422, "The recipient's key is no X25519 public key.", "接收方公钥不是有效的 X25519 公钥。"),
    "vault.unavailable": (503, "The vault's database does not answer.", "保险库数据库暂时无法使用。"),
    "vault.failed": (500, "The vault failed.", "保险库内部错误。"),
}


class Refusal(Exception):
    """A call refused. `code` is a key of REFUSALS; an unknown code raises KeyError at once."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.status, self.title, self.zh = REFUSALS[code]
        self.detail = detail or self.title
        super().__init__(code)

    def response(self) -> JSONResponse:
        """The refusal as application/problem+json."""
        body = {
            "type": f"urn:huika:vault:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "zh": self.zh,
        }
        headers = {"WWW-Authenticate": "Capability"} if self.status == 401 else None
        return JSONResponse(body, self.status, headers, media_type="application/problem+json")
