"""Words of the public pages: kinds of platform, trust, sources, limits. Each in Chinese and English."""

import re
from typing import Final

from huika.domain.catalog.types import Limit, ReasonCode
from huika.faces.pages.words import language, pick

PLATFORM: Final = {
    "ecommerce": ("电商平台", "E-commerce"),
    "vertical": ("垂直平台", "Specialists"),
    "local": ("本地门店", "Local shops"),
}
TRUST: Final = {
    "law": ("法规写明", "Read in the law"),
    "press": ("公开报道", "Press"),
    "market": ("商家页面", "A trader's own page"),
    "claimed": ("自称", "Claimed"),
    "inferred": ("我们定的", "Our own rule"),
    "from memory": ("凭记忆，没核对", "From memory, unchecked"),
    "operator": ("运营方已确认", "Confirmed by the operator"),
}
SCOPE: Final = {
    "national": ("全国能用", "Nationwide"),
    "regional": ("限地区", "Regional"),
    "region-locked": ("锁区", "Region-locked"),
}
FORM: Final = {
    "electronic": ("电子卡", "Electronic"),
    "physical": ("实体卡", "Plastic"),
    "both": ("电子卡和实体卡", "Electronic and plastic"),
}
LOCK: Final = {
    "bind": ("当场绑定", "Bound on the spot"),
    "redeem": ("当场充值", "Redeemed on the spot"),
    "pin_change": ("当场改密码", "PIN changed on the spot"),
    "none": ("装袋，当面交换", "Bagged, one exchange"),
    "transfer": ("要发卡方过户，暂时不收", "Needs the issuer's transfer; not bought"),
}
FEES: Final = {"visit": ("上门费", "Visit fee"), "platform": ("平台费", "Platform fee")}
SOURCES_ZH: Final = {
    "MOFCOM order 9/2012; PBoC, same date": "商务部令 2012 年第 9 号；人民银行同期规定",
    "public pages quoting the reporting rules": "转述报告制度的公开网页",
    "public pages quoting the rules for gold dealers": "转述黄金行业规定的公开网页",
    "default of this project": "本软件的默认值",
    "E-commerce law, art. 31": "电子商务法第 31 条",
    "AML law 2025, art. 34": "反洗钱法（2025）第 34 条",
    "PIPL, art. 55-56": "个人信息保护法第 55、56 条",
    "State Council order 810, 2025": "国务院令第 810 号（2025）",
    "market regulator's rules for platforms": "市场监管部门的平台规则",
    "income tax on the transfer of property": "个人所得税法，财产转让所得",
    "public pages on wallet tiers; approximate": "介绍钱包分类的公开网页，约数",
    "documentation of the transfer interface; confirm with the provider": "转账接口的文档，要向服务商确认",
}
# Sources name sites of the trade; public pages name no rival.
_HAN = re.compile("[\u4e00-\u9fff]")
_SITE = re.compile(r"(?:https?://)?(?:[\w-]+\.)+(?:com\.cn|com|cn|net)(?:/[\w./?=&%-]*)?")


def source(text: str) -> str:
    """A source in the page's language where it is known, web addresses left out."""
    if language() == "zh" and text in SOURCES_ZH:
        return SOURCES_ZH[text]
    return _SITE.sub(pick("某网页", "a web page"), text)


def source_language(text: str) -> str:
    """The language of what `source` answers, for the lang attribute: rows were noted in English, some words apart."""
    if language() == "zh":
        return "zh-CN" if text in SOURCES_ZH else "en"
    return "zh-CN" if _HAN.search(text) else "en"


def yuan(fen: int) -> str:
    """¥1,000 or ¥0.50."""
    return f"¥{fen // 100:,}" + (f".{fen % 100:02d}" if fen % 100 else "")


def percent(bp: int) -> str:
    """12.5% of 1250."""
    return f"{bp / 100:g}%"


def duration(seconds: int) -> str:
    """Seconds in hours where they are whole."""
    if seconds % 3600 == 0:
        return pick(f"{seconds // 3600} 小时", f"{seconds // 3600} hours")
    return pick(f"{seconds // 60} 分钟", f"{seconds // 60} minutes")


def amount(limit: Limit) -> str:
    """A limit's value with its unit and side: 「最多 ¥5,000」, 「10,000 起」."""
    counted = {
        "days": ("天", "days"),
        "months": ("个月", "months"),
        "years": ("年", "years"),
        "orders": ("单", "orders"),
    }
    if limit.unit == "fen":
        value = yuan(limit.value)
    elif limit.unit == "bp":
        value = percent(limit.value)
    elif limit.unit == "seconds":
        value = duration(limit.value)
    else:
        zh, en = counted[limit.unit]
        value = pick(f"{limit.value} {zh}", f"{limit.value} {en if limit.value != 1 else en[:-1]}")
    sides = {
        "at_most": (f"最多 {value}", f"at most {value}"),
        "at_least": (f"至少 {value}", f"at least {value}"),
        "from": (f"{value} 起", f"from {value}"),
        "under": (f"不到 {value}", f"under {value}"),
    }
    return pick(*sides[limit.bound])


def most_off(reason: ReasonCode) -> str:
    """The most a published reason takes off a card."""
    share, cap = percent(reason.max_deduction_bp), reason.max_deduction_fen
    if reason.basis == "shortfall":
        whole = reason.max_deduction_bp == 10_000
        said = pick(
            "少多少扣多少" if whole else f"少的部分的 {share}",
            "what is missing" if whole else f"{share} of what is missing",
        )
    else:
        said = pick(f"面值的 {share}", f"{share} of the face value")
    return said + (pick(f"，最多 {yuan(cap)}", f", at most {yuan(cap)}") if cap is not None else "")
