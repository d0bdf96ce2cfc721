"""Visits before anybody has said what one costs."""

from tests.faces.desk.money.ground import rows, signed_in


def test_without_a_single_cost_the_page_says_that_everybody_is_visited(db: None) -> None:
    desk = signed_in("desk")
    page = desk.get("/desk/owner/visits").content.decode()
    assert "还没填，来者不拒" in page
    assert rows(desk.get("/desk/owner/visits.csv"))[1:] == []
