"""What risk events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "risk.order.decided": ("风险核对：{outcome}", "Risk check: {outcome}"),
    }
)
