"""What parties events say, in Chinese and English."""

from huika.kit import approvals
from huika.kit.events import WORDS

WORDS.update(
    {
        "parties.seller.known": ("卖家登记", "Seller known"),
        "parties.recycler.enrolled": ("商家入驻", "Recycler enrolled"),
        "parties.signing_key.set": ("商家签名公钥 {kid}", "Recycler's signing key {kid}"),
        "parties.courier.enrolled": ("专员入职", "Courier enrolled"),
        "parties.identity.asked": ("实名核对中", "Name being verified"),
        "parties.identity.answered": ("实名核对有了结果", "Name verification answered"),
        "parties.consent.given": ("同意：{kind}", "Consent given: {kind}"),
        "parties.consent.withdrawn": ("撤回同意：{kind}", "Consent withdrawn: {kind}"),
        "parties.payee.saved": ("收款账户已保存", "Payee saved"),
        "parties.session.opened": ("登录", "Signed in"),
        "parties.session.ended_everywhere": ("在所有设备退出登录", "Signed out on every device"),
        "parties.passkey.added": ("登记了一把通行密钥", "A passkey was enrolled"),
        "parties.passkey.removed": ("删除了一把通行密钥", "A passkey was removed"),
        "parties.recovery.done": (
            "两位同事同意后，旧通行密钥作废，可重新登记",
            "By two colleagues' decision old passkeys ended and one may be enrolled anew",
        ),
    }
)
approvals.WORDS["parties.recovery"] = approvals.Words(
    "让 {username} 重新登记通行密钥：旧的全部作废，所有设备退出登录",
    "Let {username} enrol a passkey anew: the old ones end, every device is signed out",
    {"username": ("账号", "Account")},
)
