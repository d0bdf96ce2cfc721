"""What inspection events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "inspection.card.judged": ("核对结果：{outcome}", "Verdict: {outcome}"),
    }
)
