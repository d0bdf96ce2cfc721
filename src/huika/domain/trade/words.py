"""What trade events say, in Chinese and English."""

from huika.kit import work_items
from huika.kit.events import WORDS

WORDS.update(
    {
        "trade.order.quoted": ("报价：到手 {net_fen}，{cards} 张", "Quoted: net {net_fen}, {cards} cards"),
        "trade.order.accepted": ("约好了，到手 {net_fen}", "Accepted, net {net_fen}"),
        "trade.order.taken_by_telephone": (
            "电话里约的，四句都问过",
            "Booked by telephone; the four questions were asked",
        ),
        "trade.call.stopped": ("电话里停下了，没有买", "Stopped on the telephone; nothing was bought"),
        "trade.order.in_progress": ("上门开始", "Visit started"),
        "trade.order.settled": ("结清：到手 {paid_fen}", "Settled: {paid_fen} paid"),
        "trade.order.received": ("卖家说收到了 {paid_fen}", "The seller says {paid_fen} has come"),
        "trade.order.closed": ("订单关闭", "Order closed"),
        "trade.order.cancelled": ("订单取消，不收费", "Order cancelled, free of charge"),
        "trade.order.expired": ("报价过期", "Quote expired"),
        "trade.order.declined_free": ("没有卖，不花钱", "Nothing sold, free of charge"),
        "trade.order.walked_away": ("卖家决定不卖", "The seller walked away"),
        "trade.card.captured": ("正反面已拍", "Both sides photographed"),
        "trade.card.clear": ("核对通过，价不变", "Checked; the price stands"),
        "trade.card.doubtful": ("请人再看一眼", "A person has another look"),
        "trade.card.returned": ("这张卡还是你的", "This card is still yours"),
        "trade.card.uncovering": ("可以刮开密码", "The PIN may be uncovered"),
        "trade.card.locking": ("正在向发卡方锁卡", "Locking at the issuer"),
        "trade.card.balance_noted": ("余额 {balance_fen}（{channel}）", "Balance {balance_fen} ({channel})"),
        "trade.card.bagged": ("装进封口袋 {bag}", "Sealed in bag {bag}"),
        "trade.card.bagged_waiting": ("发卡方没回音，先封进袋 {bag}", "Issuer silent; sealed in bag {bag}"),
        "trade.card.short": ("余额只有 {balance_fen}，按原价不能收", "It holds only {balance_fen}: not at this price"),
        "trade.card.suspected": ("这张卡要人看一眼", "A person must look at this card"),
        "trade.card.credited": ("锁好了，{net_fen} 归你", "Locked; {net_fen} is yours"),
        "trade.card.taken_over": ("袋子 {bag} 交给了专员", "Bag {bag} handed to the courier"),
        "trade.card.requoted": (
            "新价 {new_net_fen}（原来 {old_net_fen}）",
            "New price {new_net_fen} (was {old_net_fen})",
        ),
        "trade.card.called_back": ("值班已回电", "The desk called back"),
        "trade.card.consented": ("按新价 {net_fen} 卖", "Agreed at {net_fen}"),
    }
)
work_items.SETTLED_BY.update(
    {
        "pool_covered": ("约满了", "Enough have booked"),
        "pool_too_late": ("到点了没人定，免费取消", "Nobody decided in time: cancelled, free of charge"),
        "pool_gone": ("没有人要去了", "Nobody is waited for any more"),
    }
)
