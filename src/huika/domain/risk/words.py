"""What risk events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "risk.order.decided": ("按规则核对过了", "Checked against the rules"),
    }
)
