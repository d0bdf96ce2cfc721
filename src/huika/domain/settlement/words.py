"""What settlement events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "settlement.escrow.prefunded": ("商家备款到账 {amount_fen}", "Recycler prefunded {amount_fen}"),
        "settlement.freeze.confirmed": ("备款已冻结 {amount_fen}", "{amount_fen} frozen at the custodian"),
        "settlement.freeze.refused": ("托管方没有冻结：{reason}", "The custodian refused: {reason}"),
        "settlement.freeze.released": ("余下备款已退回", "The rest of the money went back"),
        "settlement.card.credited": ("这张卡的 {net_fen} 归你", "{net_fen} of this card is yours"),
        "settlement.payout.created": ("付款 {amount_fen}，等钱包回音", "Paying {amount_fen}, waiting for the wallet"),
        "settlement.payout.unknown": ("钱包还没回音。这笔钱归你", "The wallet has not answered. The money is yours"),
        "settlement.payout.paid": ("到账 {amount_fen}", "{amount_fen} has arrived"),
        "settlement.payout.failed": (
            "付款没成功：{reason}。钱还归你",
            "The payout failed: {reason}. The money is still yours",
        ),
        "settlement.float.issued": ("领备用金 {amount_fen}", "Float of {amount_fen} issued"),
    }
)
