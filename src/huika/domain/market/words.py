"""What market events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "market.book.published": ("价目表第 {version} 版，{rows} 行", "Price book version {version}, {rows} rows"),
        "market.endpoint.set": ("实时报价接口更新", "Live quoting address set"),
        "market.outcome.appended": ("报价 {quoted_fen}，实付 {paid_fen}", "Quoted {quoted_fen}, paid {paid_fen}"),
        "market.bargain.asked": ("议价第 {n} 步：多要 {bonus_bp} 基点", "Bargain, step {n}: {bonus_bp} bp more asked"),
        "market.bargain.answered": ("议价第 {n} 步：答应 {bonus_bp} 基点", "Bargain, step {n}: {bonus_bp} bp offered"),
        "market.bargain.refused": ("议价第 {n} 步：不加", "Bargain, step {n}: nothing more"),
        "market.bargain.agreed": ("议价成交：多 {bonus_bp} 基点", "Bargain agreed: {bonus_bp} bp more"),
        "market.bargain.left": ("卖家不议了", "The seller left the bargain"),
        "market.alert.set": ("到价提醒：{kind} 到 {net_fen}", "Price alert: {kind} at {net_fen}"),
        "market.alert.reached": ("到价了：{kind} {net_fen}", "Price reached: {kind} {net_fen}"),
        "market.alert.ended": ("到价提醒取消：{kind}", "Price alert taken back: {kind}"),
        "market.pool.joined": ("有人来拼上门：{district}", "A neighbour joined in {district}"),
        "market.pool.left": ("有人退出拼上门：{district}", "A neighbour left in {district}"),
        "market.pool.covered": ("{members} 家拼够一次上门", "{members} neighbours cover a visit"),
        "market.pool.timed": ("拼的上门定了时间", "The shared visit has its time"),
        "market.pool.sent": (
            "拼的没约满，照样上门：{because}",
            "The shared visit goes although too few booked: {because}",
        ),
        "market.pool.ended": ("拼上门到期：{district}", "Shared visit ended in {district}"),
        "market.stock.reported": ("库存更新", "Stock reported"),
        "market.repricing.set": ("自动调价的规则更新", "Rules of the pricing tool set"),
        "market.visit_cost.set": ("上门成本调整", "Cost of a visit set"),
        "market.visit.allowed": ("破例派人：{because}", "Somebody is sent all the same: {because}"),
        "market.platform_fee.set": ("平台费调整：{zh}", "Platform fee set: {en}"),
        "market.comparison.made": (
            "比价：{offers} 个报价，最高到手 {best_net_fen}",
            "Compared: {offers} offers, best net {best_net_fen}",
        ),
    }
)
