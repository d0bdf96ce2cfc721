"""What cover events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "cover.guarantee.given": ("{days} 天保障，最高 {limit_fen}", "Guaranteed for {days} days up to {limit_fen}"),
    }
)
