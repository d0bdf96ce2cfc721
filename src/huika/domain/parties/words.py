"""What parties events say, in Chinese and English."""

from huika.kit.events import WORDS

WORDS.update(
    {
        "parties.seller.known": ("卖家登记", "Seller known"),
        "parties.recycler.enrolled": ("商家入驻", "Recycler enrolled"),
        "parties.courier.enrolled": ("专员入职", "Courier enrolled"),
        "parties.identity.asked": ("实名核对中", "Name being verified"),
        "parties.identity.answered": ("实名核对有了结果", "Name verification answered"),
        "parties.consent.given": ("同意：{kind}", "Consent given: {kind}"),
        "parties.consent.withdrawn": ("撤回同意：{kind}", "Consent withdrawn: {kind}"),
        "parties.payee.saved": ("收款账户已保存", "Payee saved"),
        "parties.session.opened": ("登录", "Signed in"),
    }
)
