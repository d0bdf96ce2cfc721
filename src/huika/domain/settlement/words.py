"""What settlement events say, in Chinese and English."""

from huika.kit import approvals, work_items
from huika.kit.events import WORDS

WORDS.update(
    {
        "settlement.escrow.prefunded": ("商家备款到账 {amount_fen}", "Recycler prefunded {amount_fen}"),
        "settlement.freeze.confirmed": ("备款已冻结 {amount_fen}", "{amount_fen} frozen at the custodian"),
        "settlement.freeze.refused": ("托管方没有冻结：{reason}", "The custodian refused: {reason}"),
        "settlement.freeze.released": ("余下备款已退回", "The rest of the money went back"),
        "settlement.card.credited": ("这张卡的 {net_fen} 归你", "{net_fen} of this card is yours"),
        "settlement.payout.created": ("付款 {amount_fen}，等对方回音", "Paying {amount_fen}, waiting for an answer"),
        "settlement.payout.unknown": ("对方还没回音。这笔钱归你", "No answer yet. The money is yours"),
        "settlement.payout.paid": ("到账 {amount_fen}", "{amount_fen} has arrived"),
        "settlement.payout.failed": (
            "付款没成功：{reason}。钱还归你",
            "The payout failed: {reason}. The money is still yours",
        ),
        "settlement.payout.returned": (
            "银行退回 {amount_fen}。钱还归你",
            "{amount_fen} came back from the bank. The money is still yours",
        ),
        "settlement.payout.withdrawn": ("请对方撤回这笔付款", "Asking for this payout to be withdrawn"),
        "settlement.debt.acknowledged": (
            "欠条 {number}：{amount_fen} 归你，付到为止",
            "Acknowledgement {number}: {amount_fen} is yours and owed until it is paid",
        ),
        "settlement.debt.settled": ("欠条 {number} 已付清", "Acknowledgement {number} is settled"),
        "settlement.reserve.kept": (
            "{amount_fen} 由托管方留存，到期自动付给你",
            "{amount_fen} is kept at the custodian and comes by its date",
        ),
        "settlement.reserve.contested": ("留存款有异议，等结论", "The reserve is contested and waits for a decision"),
        "settlement.reserve.uncontested": (
            "异议不成立，留存款按期付",
            "The contest was dropped; the date counts again",
        ),
        "settlement.reserve.ended": ("留存款付给你 {to_seller_fen}", "{to_seller_fen} of the reserve goes to you"),
        "settlement.float.issued": ("领备用金 {amount_fen}", "Float of {amount_fen} issued"),
        "settlement.float.asked": ("申请补备用金 {amount_fen}", "Asked for {amount_fen} more cash"),
        "settlement.float.refused": ("补备用金 {amount_fen} 没有批", "{amount_fen} more cash was not granted"),
        "settlement.float.returned": ("交回备用金 {amount_fen}", "{amount_fen} of the float returned"),
        "settlement.float.difference": ("备用金差额 {amount_fen}", "A difference of {amount_fen} in the float"),
        "settlement.pay.earned": ("这次上门挣 {amount_fen}", "This visit earned {amount_fen}"),
        "settlement.pay.bonus": ("奖金 {amount_fen}", "Bonus of {amount_fen}"),
        "settlement.pay.deduction": ("扣款 {amount_fen}", "Deduction of {amount_fen}"),
        "settlement.pay.paid": ("工钱付出 {amount_fen}", "{amount_fen} of pay sent"),
        "settlement.shift.miscounted": ("清点 {counted}，和账上不一样", "Counted {counted}, not what the books say"),
        "settlement.shift.closed": ("{day} 交班", "Shift of {day} closed"),
        "settlement.own.withdrawn": ("平台自己的钱转出 {amount_fen}", "{amount_fen} of the operator's own withdrawn"),
        "settlement.premium.paid": (
            "代收的保费付给保险公司 {amount_fen}",
            "Premium of {amount_fen} passed on to the insurer",
        ),
        "settlement.day.closed": ("{day} 日结", "Day {day} closed"),
        "settlement.reconciliation.difference": ("和托管方对账有差异", "A difference to the custodian's statement"),
        "settlement.payouts.stopped": ("付款暂停（{scope}）：{reason}", "Payouts stopped ({scope}): {reason}"),
        "settlement.payouts.resumed": ("付款恢复（{scope}）", "Payouts resumed ({scope})"),
    }
)
approvals.WORDS["settlement.stop_payouts"] = approvals.Words(
    "暂停付款：{scope}。{reason}",
    "Stop payouts: {scope}. {reason}",
    {"scope": ("范围", "Scope"), "reason": ("理由", "Reason")},
)
approvals.WORDS["settlement.resume_payouts"] = approvals.Words(
    "恢复付款：{scope}", "Let payouts go on: {scope}", {"scope": ("范围", "Scope")}
)
work_items.SETTLED_BY.update(
    {
        "settlement.answered": ("有回音了", "It was answered"),
        "settlement.paid_again": ("重新付了", "It was paid again"),
    }
)
