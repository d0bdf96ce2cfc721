"""The sandbox's SMS gateway."""

from huika.adapters.outbound import document, policy, sandbox
from huika.kit import canonical
from huika.kit.safe_http import NoAnswer, request

TEMPLATES = {
    "login": "【回卡】登录验证码 {code}，5 分钟内有效。别告诉任何人，专员也不会问。",
    "visit": "【回卡】上门验证码 {code}。专员到门口、先报了他的码，您再说给他听。",
    "consent": "【回卡】新价 {new}（原来 {old}），理由：{reason}。同意就报验证码 {code}；不卖了不花钱。",
    "alert": "【回卡】到价了：{kind} {cards} 张到手 {yuan}。价会变，想卖就打开回卡看。不想再收，在「提醒和拼单」里删。",
    "pool": "【回卡】{district}拼够一趟上门了，{until} 前打开回卡约时间，邻居先约的就随邻居。「提醒和拼单」里能退出。",
    "pool_time": "【回卡】和邻居拼的上门定在 {when}，您这一家请在 {until} 前打开回卡约好。「提醒和拼单」里能退出。",
    "pool_wait": "【回卡】和您拼上门的一位邻居取消了，再有人约就照旧；{until} 前不够会告诉您，不收费。",
    "pool_off": "【回卡】和邻居拼的上门约的人不够，{when} 这一趟免费取消了，卡还在您手里。可以打开回卡重新拼。",
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
