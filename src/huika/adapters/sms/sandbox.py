"""The sandbox's SMS gateway."""

from huika.adapters.outbound import document, policy, sandbox
from huika.kit import canonical
from huika.kit.safe_http import NoAnswer, request

TEMPLATES = {
    "login": "【回卡】登录验证码 {code}，5 分钟内有效。别告诉任何人，专员也不会问。",
    "visit": "【回卡】上门验证码 {code}。专员到门口、先报了他的码，您再说给他听。",
    "consent": "【回卡】新价 {new}（原来 {old}），理由：{reason}。同意就报验证码 {code}；不卖了不花钱。",
    "payee": "【回卡】改收款账户 {account} 的验证码 {code}。不是你本人操作请别理会。",
}


class SandboxSms:
    """Sends by reference: a repeat is answered, not sent twice."""

    def send(self, phone: str, template: str, words: dict[str, str], reference: str) -> None:
        """Raises NotSent, NoAnswer."""
        body = TEMPLATES[template].format_map(words)
        answer = request(
            "POST",
            sandbox("/sms/messages"),
            policy=policy(),
            headers={"content-type": "application/json"},
            content=canonical.dumps({"to": phone, "template": template, "body": body, "reference": reference}),
        )
        if document(answer).get("state") != "SENT":
            raise NoAnswer(f"status {answer.status}")
