"""Why `parties` refuses."""

from huika.kit.refusals import Malformed, Refusal


class MalformedPhone(Refusal):
    code, status = "malformed_phone", 422
    zh, en = "手机号是 11 位数字，1 开头", "A mobile number has 11 digits and starts with 1."


class WrongCode(Refusal):
    code, status, keeps = "wrong_code", 409, True
    zh, en = "验证码不对，或已经失效", "The code is wrong or no longer valid."


class CodeLocked(Refusal):
    code, status, keeps = "code_locked", 429, True
    zh, en = "试错太多次，{wait_minutes} 分钟后再试", "Too many wrong codes; try again in {wait_minutes} minutes."


class TooManyCodes(Refusal):
    code, status = "too_many_codes", 429
    zh, en = (
        "验证码发得太频繁，{wait_seconds} 秒后再要",
        "Codes are sent too often; ask again in {wait_seconds} seconds.",
    )


class WrongPassword(Refusal):
    code, status, keeps = "wrong_password", 401, True
    zh, en = "账号或密码不对", "Wrong account or password."


class AskColleague(Refusal):
    code, status = "ask_colleague", 409
    zh, en = (
        "这个账号的通行密钥已经作废，请用同事给你的链接重新登记",
        "This account's passkeys were ended; enrol a new one by the link a colleague has for you.",
    )


class NoPasskeysHere(Refusal):
    code, status = "no_passkeys_here", 409
    zh, en = (
        "这个地址用不了通行密钥，请从 {site} 登录",
        "Passkeys do not work at this address; sign in at {site}.",
    )


class WrongPasskey(Refusal):
    code, status = "wrong_passkey", 401
    zh, en = "这把通行密钥没对上，再试一次", "That passkey did not fit; try again."


class LastPasskey(Refusal):
    code, status = "last_passkey", 409
    zh, en = "只剩这一把通行密钥，先加一把再删", "This is the only passkey left; add another before removing it."


class PasskeyKnown(Refusal):
    code, status = "passkey_known", 409
    zh, en = "这把通行密钥已经登记过了", "This passkey is enrolled already."


class LinkDead(Refusal):
    code, status = "link_dead", 409
    zh, en = (
        "这个链接用过了，或已经过期，请同事再发一次",
        "This link was used or has expired; ask a colleague for a new one.",
    )


class NotVerified(Refusal):
    code, status = "not_verified", 409
    zh, en = "先完成实名，才能约上门", "Verify your name first."


class MalformedIdNumber(Refusal):
    code, status = "malformed_id_number", 422
    zh, en = "身份证号不对，请核对 18 位", "The identity number is not valid; check its 18 characters."


class ConsentMissing(Refusal):
    code, status = "consent_missing", 409
    zh, en = "还差一项同意：{missing_zh}", "A consent is missing: {missing}"


class PayeeNameDiffers(Refusal):
    code, status = "payee_name_differs", 409
    zh, en = "收款人要和实名一致", "The payee's name must be the verified name."


class MalformedAccount(Malformed):
    code, status = "malformed_account", 422
    zh, en = "账号不对：{why_zh}", "This account is not right: {why}"


class PayeeWaiting(Refusal):
    code, status = "payee_waiting", 409
    zh, en = "新收款账户 24 小时后可用", "A changed payee can be used after 24 hours, from {usable_from}."


class UnknownKey(Refusal):
    code, status = "unknown_key", 401
    zh, en = "签名钥匙不认识", "The signing key is not known."


class BadSignature(Refusal):
    code, status = "bad_signature", 401
    zh, en = "签名不对：{why}", "The signature does not verify: {why}"


class BadgeTaken(Refusal):
    code, status = "badge_taken", 409
    zh, en = "工号 {badge} 已经有人用了", "Badge {badge} belongs to somebody already."


class LoginTaken(Refusal):
    code, status = "login_taken", 409
    zh, en = "登录名 {username} 已经有人用了", "The login {username} belongs to somebody already."
