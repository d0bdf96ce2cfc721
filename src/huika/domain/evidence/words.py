"""What evidence events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "evidence.picture.kept": ("照片已存证（{side}）", "Picture sealed ({side})"),
    }
)
