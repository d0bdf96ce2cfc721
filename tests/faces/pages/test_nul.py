"""A NUL in an address or a form: people get a page that says so, programs problem+json; nothing is done."""

from urllib.parse import urlencode

import pytest
from django.test import Client
from tests.faces.desk.people import at_desk

pytestmark = pytest.mark.django_db
SAID = {"zh": "看不见的坏字符", "en": "invisible character"}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("address", ["/orders/%00", "/?q=a%00b", "/desk/money/ledger?begins=%00", "/kinds/x%00"])
def test_an_address(lang: str, address: str) -> None:
    client = Client(headers={"accept-language": lang})
    answer = client.get(address)
    page = answer.content.decode()
    assert answer.status_code == 400 and answer["Content-Type"].startswith("text/html")
    assert SAID[lang] in page and "<html" in page and '"code"' not in page
    assert ("没有这一页" if lang == "zh" else "No such page") not in page


def test_a_form() -> None:
    client = at_desk.signed_in()
    for body in ({"city": "shanghai", "piece": "visit", "amount": "1\0"}, {"a\0": "1"}):
        answer = client.post("/desk/money/pay", body)
        assert answer.status_code == 400 and SAID["zh"] in answer.content.decode()
    urlencoded = client.post("/desk/money/pay", urlencode({"amount": "\0"}), "application/x-www-form-urlencoded")
    assert urlencoded.status_code == 400 and SAID["zh"] in urlencoded.content.decode()
    assert client.post("/desk/money/pay", {"city": "x"}).status_code == 422


def test_a_program_reads_json() -> None:
    for address in ("/v1/kinds?q=a%00", "/v1/kinds/%00", "/log/%00"):
        answer = Client().get(address)
        assert answer.status_code == 400 and answer.json()["code"] == "unreadable"


def test_a_form_that_is_too_long_is_refused_on_a_page() -> None:
    answer = Client().post("/phone", {"phone": "1" * 70_000})
    assert answer.status_code == 413 and "最多 64 kB" in answer.content.decode() and "<html" in answer.content.decode()
