import asyncio
import time
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.exceptions import InvalidSignature
from tests.huika_sandbox.alipay_partner import GATEWAY, PRODUCT, Partner, beijing
from tests.huika_sandbox.conftest import until

pytestmark = pytest.mark.anyio
TRANSFER = "alipay.fund.trans.uni.transfer"
QUERY = "alipay.fund.trans.common.query"


@pytest.fixture
async def partner(tmp_path, keys, monkeypatch):
    made = Partner(tmp_path, keys, monkeypatch)
    await made.start()
    yield made
    await made.stop()


async def payee(partner, behaviour="normal", name=None):
    await partner.control("POST", "payees", {"account": "13900000001", "behaviour": behaviour, "name": name})


async def test_a_transfer_is_paid_at_once_told_and_found(partner):
    made = await partner.transfer("T1", passback_params="93000:13900000001")
    assert (made["code"], made["status"], made["out_biz_no"]) == ("10000", "SUCCESS", "T1")
    found = await partner.query("T1")
    assert (found["status"], found["trans_amount"], found["order_id"]) == ("SUCCESS", "930.00", made["order_id"])
    assert found["passback_params"] == "93000:13900000001"
    assert "payee" not in str(found)
    (told,) = await partner.told(1)
    assert (told["msg_method"], told["app_id"]) == ("alipay.fund.trans.order.changed", partner.about["app_id"])
    assert (told["out_biz_no"], told["status"], told["trans_amount"]) == ("T1", "SUCCESS", "930.00")
    payment = await partner.payment("T1")
    assert (payment["account"], payment["amount"], payment["state"]) == ("13900000001", 93_000, "SUCCESS")


async def test_a_number_pays_once_and_another_content_is_refused(partner):
    first = await partner.transfer("T1")
    assert (await partner.transfer("T1")) == first
    assert (await partner.transfer("T1", trans_amount=930)) == first  # the same amount, written otherwise
    for change in ({"trans_amount": "930.01"}, {"remark": "x"}, {"payee_info": {"identity": "2088000000000001"}}):
        refused = await partner.transfer("T1", **change)
        assert refused["sub_code"] in ("PAYMENT_INFO_INCONSISTENCY", "INVALID_PARAMETER")
    assert len((await partner.control("GET", "payments"))["payments"]) == 1
    await asyncio.sleep(0.05)
    assert len(partner.received) == 1


async def test_what_never_came_is_not_there(partner):
    assert (await partner.query("T0"))["sub_code"] == "ORDER_NOT_EXIST"


@pytest.mark.parametrize(("behaviour", "ends"), [("slow", "SUCCESS"), ("fail", "FAIL")])
async def test_other_payees_end_later(partner, behaviour, ends):
    await payee(partner, behaviour)
    assert (await partner.transfer("T1"))["status"] == "DEALING"
    (told,) = await partner.told(1)
    found = await partner.query("T1")
    assert (told["status"], found["status"]) == (ends, ends)
    assert found.get("error_code") == ("PAYEE_ACCOUNT_STATUS_ERROR" if ends == "FAIL" else None)
    assert ("trans_amount" in found) == (ends == "SUCCESS")


@pytest.mark.parametrize(
    ("behaviour", "name", "code"),
    [("quota", None, "EXCEED_LIMIT_DM_MAX_AMOUNT"), ("normal", "王方", "PAYEE_USER_INFO_ERROR")],
)
async def test_a_refusal_takes_nothing(partner, behaviour, name, code):
    await payee(partner, behaviour, name)
    assert (await partner.transfer("T1"))["sub_code"] == code
    assert (await partner.query("T1"))["sub_code"] == "ORDER_NOT_EXIST"


@pytest.mark.parametrize("amount", ["0.09", "1.001", "-1", "1e3", "", True, None, "100000000.01", "٣"])
async def test_amounts_out_of_bounds(partner, amount):
    assert (await partner.transfer("T1", trans_amount=amount))["sub_code"] == "INVALID_PARAMETER"


async def test_a_login_needs_its_name(partner):
    payee = {"identity": "13900000001", "identity_type": "ALIPAY_LOGON_ID"}
    assert (await partner.transfer("T1", payee_info=payee))["sub_code"] == "INVALID_PARAMETER"
    payee = {"identity": "2088000000000001", "identity_type": "ALIPAY_USER_ID"}
    assert (await partner.transfer("T1", payee_info=payee))["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"app_id": "2021000000000000"}, "isv.invalid-app-id"),
        ({"app_cert_sn": "0" * 32}, "isv.invalid-app-cert-sn"),
        ({"alipay_root_cert_sn": "0" * 32}, "isv.invalid-alipay-root-cert-sn"),
        ({"alipay_root_cert_sn": ""}, "isv.missing-alipay-root-cert-sn"),
        ({"sign_type": "RSA"}, "isv.invalid-sign-type"),
        ({"charset": "GBK"}, "isv.invalid-charset"),
        ({"version": "2.0"}, "isv.invalid-version"),
        ({"timestamp": beijing(-310)}, "isv.invalid-timestamp"),
        ({"timestamp": beijing(86_400)}, "isv.invalid-timestamp"),
        ({"timestamp": "now"}, "isv.invalid-timestamp"),
        ({"sign": "AAAA"}, "isv.invalid-signature"),
        ({"sign": "*"}, "isv.invalid-signature"),
        ({"method": "alipay.nothing"}, "isv.invalid-method"),
        ({"biz_content": "[]"}, "isv.illegal-json"),
        ({"biz_content": '{"a":1,"a":2}'}, "isv.illegal-json"),
    ],
)
async def test_requests_that_are_not_the_applications(partner, change, code):
    asked = {**PRODUCT, "out_biz_no": "T1"}
    method, content = change.pop("method", QUERY), change.pop("biz_content", asked)
    assert (await partner.ask(method, content, **change))["sub_code"] == code


async def test_a_changed_request_and_a_doubled_parameter(partner):
    params = partner.params(QUERY, {**PRODUCT, "out_biz_no": "T1"})
    assert (await partner.post({**params, "notify_url": "http://127.0.0.1/x"}))["sub_code"] == "isv.invalid-signature"
    doubled = [*params.items(), ("biz_content", "{}")]
    assert (await partner.post(doubled))["sub_code"] == "isv.suspected-attack"
    answer = await partner.http.get(f"{GATEWAY}?{urlencode(params)}&method=x")
    assert partner.read(answer)["sub_code"] == "isv.suspected-attack"


async def test_the_address_may_bear_parameters(partner):
    params = partner.params(QUERY, {**PRODUCT, "out_biz_no": "T1"})
    answer = await partner.http.get(f"{GATEWAY}?{urlencode(params)}")
    assert partner.read(answer)["sub_code"] == "ORDER_NOT_EXIST"
    charset = params.pop("charset")
    answer = await partner.http.post(f"{GATEWAY}?charset={charset}", content=urlencode(params))
    assert partner.read(answer)["sub_code"] == "ORDER_NOT_EXIST"


async def test_told_until_the_word_success(partner):
    partner.answers = [500, b"ok", b"SUCCESS", b"success"]
    await partner.transfer("T1")
    told = await partner.told(4)
    await asyncio.sleep(0.05)
    assert len(partner.received) == 4
    assert len({one["notify_id"] for one in told}) == 1
    payment = await partner.payment("T1")
    assert (payment["callbacks_sent"], payment["callbacks_acknowledged"]) == (4, 1)


async def test_replays_changed_and_forged(partner):
    await partner.transfer("T1")
    await partner.told(1)
    await partner.control("POST", "replay/T1", {"times": 2, "amount_delta": 1})
    assert [one["trans_amount"] for one in await partner.told(3)] == ["930.00", "930.01", "930.01"]
    await partner.control("POST", "replay/T1", {"forge": True})
    await until(lambda: len(partner.received) == 4)
    with pytest.raises(InvalidSignature):
        partner.opened(partner.received[3])


async def test_faults(partner):
    await partner.faults(repeat=2, lie="amount")
    await partner.transfer("T1")
    assert {one["trans_amount"] for one in await partner.told(2)} == {"930.01"}
    assert (await partner.query("T1"))["trans_amount"] == "930.00"
    await partner.faults(lie="state")
    await partner.transfer("T2")
    assert (await partner.told(3))[2]["status"] == "SUCCESS"
    assert (await partner.query("T2"))["status"] == "DEALING"
    await partner.faults(down=True)
    assert (await partner.http.post(GATEWAY)).status_code == 503
    await partner.faults(drop=1)
    params = partner.params(TRANSFER, {})
    assert (await partner.http.post(GATEWAY, content=urlencode(params))).status_code == 504
    await partner.faults()
    assert (await partner.told(4))[3]["out_biz_no"] == "T2"
    assert (await partner.query("T2"))["status"] == "SUCCESS"


async def test_what_was_left_is_taken_up_again(partner):
    await payee(partner, "slow")
    partner.answers = [500]
    await partner.transfer("T1")
    await partner.stop()
    await partner.start()
    await until(lambda: partner.received)
    partner.answers = [b"success"]
    assert (await partner.query("T1"))["status"] == "SUCCESS"


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
async def test_the_hosts_zone_does_not_matter(partner, monkeypatch, zone):
    try:
        with monkeypatch.context() as there:
            there.setenv("TZ", zone)
            time.tzset()
            made = await partner.transfer("T1")
            (told,) = await partner.told(1)
    finally:
        time.tzset()
    near = {beijing(ago) for ago in range(-5, 1)}
    assert {made["trans_date"], told["notify_time"], told["pay_date"]} <= near
    assert abs(int(told["utc_timestamp"]) / 1000 - time.time()) < 5


async def test_the_list_goes_by_pages(partner):
    for n in range(3):
        await partner.transfer(f"T{n}")
    first = await partner.control("GET", "payments?limit=2")
    rest = await partner.control("GET", f"payments?limit=2&after={first['next_after']}")
    assert [one["number"] for one in (*first["payments"], *rest["payments"])] == ["T0", "T1", "T2"]
    assert rest["next_after"] is None


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://127.0.0.1/", "http://127.0.0.1/?a=b"])
async def test_notifications_stay_on_this_machine(partner, url):
    assert (await partner.transfer("T1", notify_url=url))["sub_code"] == "INVALID_PARAMETER"


async def test_a_form_keeps_its_signs(partner):
    await partner.transfer("T1", passback_params="a+b&c=d 王 %2B")
    (told,) = await partner.told(1)
    assert told["passback_params"] == "a+b&c=d 王 %2B"
    assert dict(parse_qsl(partner.received[0].decode()))["charset"] == "utf-8"
