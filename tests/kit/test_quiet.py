"""What the database quotes of its rows stays out of logs."""

from huika.kit import quiet


def test_rows_stay_out_of_words_and_logs() -> None:
    text = 'new row violates check constraint "x"\nDETAIL:  Failing row contains (13800138000, 王小明).\nCONTEXT: SQL'
    assert quiet.words(ValueError(text)) == 'ValueError: new row violates check constraint "x"'
    event = quiet.without_rows(None, "error", {"exception": f"Traceback\n{text}", "path": "/v1/orders"})
    assert "13800138000" not in event["exception"] and "check constraint" in event["exception"]
    assert event["path"] == "/v1/orders"
