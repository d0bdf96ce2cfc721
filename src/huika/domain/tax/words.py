"""What tax events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "tax.voucher.issued": ("收购凭证 {number}，{total_fen}", "Purchase voucher {number}, {total_fen}"),
    }
)
