import pytest

from huika_sandbox.orders import read_order
from huika_sandbox.web import Refusal

ORDER = {
    "appid": "wx1",
    "out_bill_no": "T1",
    "transfer_scene_id": "1010",
    "openid": "o1",
    "transfer_amount": 100,
    "transfer_remark": "回收货款",
    "transfer_scene_report_infos": [{"info_type": "回收商品名称", "info_content": "购物卡"}],
}


def test_the_least_that_is_needed():
    order = read_order(ORDER, "wx1", None)
    assert (order.number, order.amount_fen, order.notify_url) == ("T1", 100, None)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("INVALID_REQUEST", {"appid": "wx2"}),
        ("INVALID_REQUEST", {"transfer_scene_id": "1000"}),
        ("INVALID_REQUEST", {"user_recv_perception": "佣金报酬"}),
        ("PARAM_ERROR", {"transfer_scene_report_infos": []}),
        ("PARAM_ERROR", {"transfer_scene_report_infos": ["x"]}),
        ("PARAM_ERROR", {"transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "x"}]}),
        ("PARAM_ERROR", {"transfer_scene_report_infos": [{"info_type": "回收商品名称", "info_content": "x" * 33}]}),
        ("PARAM_ERROR", {"transfer_scene_report_infos": ORDER["transfer_scene_report_infos"] * 2}),
        ("PARAM_ERROR", {"out_bill_no": "T-1"}),
        ("PARAM_ERROR", {"out_bill_no": "T" * 33}),
        ("PARAM_ERROR", {"out_bill_no": "T1\n"}),
        ("PARAM_ERROR", {"transfer_amount": 0}),
        ("PARAM_ERROR", {"transfer_amount": 1.0}),
        ("PARAM_ERROR", {"transfer_amount": True}),
        ("PARAM_ERROR", {"transfer_amount": 10**14}),
        ("PARAM_ERROR", {"transfer_amount": 200_000}),
        ("PARAM_ERROR", {"transfer_remark": "x" * 33}),
        ("PARAM_ERROR", {"openid": ""}),
    ],
)
def test_what_breaks_a_rule_is_refused(code, change):
    with pytest.raises(Refusal) as refusal:
        read_order({**ORDER, **change}, "wx1", None)
    assert (refusal.value.status, refusal.value.code) == (400, code)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/a/b", "http://localhost/x", "https://[::1]:1/", "http://127.9.9.9"]
)
def test_callbacks_go_to_this_machine(url):
    assert read_order({**ORDER, "notify_url": url}, "wx1", None).notify_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1/?a=1",
        "http://127.0.0.1/?",
        "http://127.0.0.1/#a",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "http://0.0.0.0/",
        "http://[::1/",
        "http:///x",
        "",
        "http://127.0.0.1/" + "x" * 256,
        7,
    ],
)
def test_and_nowhere_else(url):
    with pytest.raises(Refusal, match="PARAM_ERROR"):
        read_order({**ORDER, "notify_url": url}, "wx1", None)
