"""A desk before its first order."""

from tests.faces.desk.orders import ground


def test_an_empty_day_says_what_is_ready(db: None) -> None:
    client = ground.signed_in("desk1")
    for path, words in (
        ("/desk/", "开门前"),
        ("/desk/orders?day=today", "今天还没有单"),
        ("/desk/queue", "没有要人做的事"),
    ):
        assert words in client.get(path).content.decode()
    english = client.get("/desk/?lang=en").content.decode()
    assert "Before opening" in english and "Four things" in english
