"""What stock events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "stock.card.taken": ("卡已收进", "Card taken into custody"),
        "stock.card.given_back": ("卡已还给卖家", "Card given back to the seller"),
        "stock.card.handed_over": ("卡已交接", "Card handed over"),
    }
)
