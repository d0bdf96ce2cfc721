"""What market events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "market.book.published": ("价目表第 {version} 版，{rows} 行", "Price book version {version}, {rows} rows"),
        "market.endpoint.set": ("实时报价接口更新", "Live quoting address set"),
        "market.platform_fee.set": ("平台费调整：{zh}", "Platform fee set: {en}"),
        "market.comparison.made": (
            "比价：{offers} 个报价，最高到手 {best_net_fen}",
            "Compared: {offers} offers, best net {best_net_fen}",
        ),
    }
)
