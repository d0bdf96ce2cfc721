import pytest

pytestmark = pytest.mark.anyio


def message(**other):
    return {
        "to": "13800138000",
        "template": "login.code",
        "body": "验证码 123456\n请勿转告他人",
        "reference": "m-1",
        **other,
    }


async def phone(sandbox, query="to=13800138000"):
    return (await sandbox.http.get(f"/sms/messages?{query}")).json()["messages"]


async def test_a_message_arrives_once_for_each_reference(sandbox):
    first = await sandbox.http.post("/sms/messages", json=message())
    assert (first.status_code, first.json()["state"]) == (200, "SENT")
    assert (await sandbox.http.post("/sms/messages", json=message())).json() == first.json()
    found = await phone(sandbox)
    assert len(found) == 1
    assert {name: found[0][name] for name in message()} == message()
    assert found[0]["message_id"] == first.json()["message_id"]


async def test_other_content_under_the_same_reference_is_refused(sandbox):
    await sandbox.http.post("/sms/messages", json=message())
    answer = await sandbox.http.post("/sms/messages", json=message(body="another"))
    assert (answer.status_code, answer.json()["code"]) == (409, "REQUEST_NO_REUSED")
    assert len(await phone(sandbox)) == 1


async def test_newest_first_bounded_and_by_receiver(sandbox):
    for number in range(5):
        await sandbox.http.post("/sms/messages", json=message(reference=f"m-{number}", body=f"body {number}"))
    await sandbox.http.post("/sms/messages", json=message(reference="other", to="13900139000"))
    assert [found["body"] for found in await phone(sandbox, "to=13800138000&limit=3")] == ["body 4", "body 3", "body 2"]
    assert (await sandbox.http.get("/sms/messages?to=13800138000&limit=1001")).status_code == 400
    assert (await sandbox.http.get("/sms/messages")).status_code == 400


@pytest.mark.parametrize(
    "change", [{"to": "x"}, {"to": ""}, {"body": ""}, {"body": "x" * 1001}, {"reference": None}, {"more": 1}]
)
async def test_bad_messages_are_refused(sandbox, change):
    assert (await sandbox.http.post("/sms/messages", json=message(**change))).status_code == 400
    assert await phone(sandbox) == []


async def test_faults_strike_the_gateway_and_not_the_phone(sandbox):
    await sandbox.faults(sms={"drop": 1})
    assert (await sandbox.http.post("/sms/messages", json=message())).status_code == 504
    await sandbox.faults(sms={"down": True})
    assert (await sandbox.http.post("/sms/messages", json=message(reference="m-2"))).status_code == 503
    assert [found["reference"] for found in await phone(sandbox)] == ["m-1"]
