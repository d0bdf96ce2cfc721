"""Couriers, their day, planning, and a new colleague's first password."""

import csv
import io
import re
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from tests.domain.trade import ground
from tests.faces.desk.people import at_desk

from huika.domain.catalog import queries as catalog
from huika.domain.field import actions as field
from huika.domain.field import queries as visits
from huika.domain.field.types import Place
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.faces.desk.people import couriers
from huika.kit import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    ground.operator()
    return at_desk.signed_in()


def day(ahead: int = 0) -> date:
    return clock.now().astimezone(clock.SHANGHAI).date() + timedelta(days=ahead)


def courier(name: str = "何师傅", badge: str = "SH0009", *, cash_fen: int = 0) -> UUID:
    party = parties.ensure_courier(name, badge, "13900139000")
    if cash_fen:
        settlement.issue_float(party, "first", cash_fen)
    return party


def planned(party: UUID, ahead: int) -> None:
    home = catalog.districts(ground.CITY)[0]
    field.plan_shift(party, ground.CITY, day(ahead), Place(home.lat_e6, home.lng_e6))


def promised(ahead: int, window: int) -> UUID:
    """A visit in the `window`-th window of a day, in the first district."""
    home = catalog.districts(ground.CITY)[0]
    opens = datetime(*day(ahead).timetuple()[:3], 9 + 2 * window, tzinfo=clock.SHANGHAI)
    return field.promise(uuid4(), ground.CITY, home.slug, Place(home.lat_e6, home.lng_e6), opens, None)


def test_the_list_shows_shift_visits_and_cash(desk: Client) -> None:
    working = courier(cash_fen=1_234_00)
    courier("李师傅", "SH0010")
    planned(working, 0)
    with clock.shifted(datetime.combine(day(), datetime.min.time(), clock.SHANGHAI) + timedelta(hours=8) - clock.now()):
        done, _ = promised(0, 1), promised(0, 3)
        field.secure(done), field.depart(done), field.arrive(done), field.end(done, "finish")
        page = desk.get("/desk/couriers").content.decode()
        rows = list(csv.reader(io.StringIO(desk.get("/desk/couriers.csv").content.decode("utf-8-sig"))))
    assert "08:30–22:00" in page and "做完 1，还有 1" in page and "¥1,234.00" in page and "−" not in page
    assert "没有班，排一个" in page
    assert rows[1] == ["SH0009", "何师傅", "08:30–22:00", "黄浦区", "1", "1", "1234.00"]
    assert rows[2] == ["SH0010", "李师傅", "", "", "0", "0", ""]


def test_names_are_text_and_neutral_in_csv(desk: Client) -> None:
    courier("<img src=x onerror=1>", "B1")
    courier('=HYPERLINK("http://x.test")', "B2")
    assert "<img" not in desk.get("/desk/couriers").content.decode()
    assert "<img" not in desk.get("/desk/shifts").content.decode()
    rows = list(csv.reader(io.StringIO(desk.get("/desk/couriers.csv").content.decode("utf-8-sig"))))
    assert rows[2][1] == '\'=HYPERLINK("http://x.test")'


def test_the_route_of_a_day_stands_in_driving_order(desk: Client) -> None:
    party = courier()
    planned(party, 1)
    late, early, middle = (promised(1, window) for window in (5, 0, 3))
    page = desk.get(f"/desk/couriers/{party}?day={day(1)}").content.decode()
    times = re.findall(r"约在 (\d\d:\d\d)–", page)
    assert times == ["09:00", "15:00", "19:00"]
    assert [v.id for v in visits.visits_of(party, day(1))] == [early, middle, late]
    assert page.index("出发") < page.index("09:00") < page.index("收工")
    assert "等备款" in page and "黄浦区" in page
    empty = desk.get(f"/desk/couriers/{party}?day={day(2)}").content.decode()
    assert "这天没有班" in empty and f"day={day(2)}" in empty
    assert desk.get(f"/desk/couriers/{party}?day=tomorrow").status_code == 422
    assert desk.get(f"/desk/couriers/{uuid4()}").status_code == 404


def test_shifts_are_planned_from_the_page(desk: Client) -> None:
    party = courier()
    body = {"courier": str(party), "base": "shanghai-xuhui", "day": [str(day(1)), str(day(3))], "once": "1"}
    answer = desk.post("/desk/shifts", body)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/shifts?planned=SH0009")
    assert desk.post("/desk/shifts", body).status_code == 302
    found = visits.shifts(day(), day(13))
    assert [(s.courier, s.day, s.city) for s in found] == [(party, day(1), "shanghai"), (party, day(3), "shanghai")]
    assert couriers.district_at("shanghai", found[0].base) == "徐汇区"
    page = desk.get("/desk/shifts?planned=SH0009").content.decode()
    assert page.count('class="has"') == 2 and "SH0009 的班排好了" in page


@pytest.mark.parametrize(
    "changed",
    [{"courier": ""}, {"courier": "nobody"}, {"base": ""}, {"base": "atlantis"}, {"day": []}, {"day": ["2001-01-01"]},
     {"day": ["soon"]}],
)  # fmt: skip
def test_a_wrong_plan_is_refused_and_what_was_chosen_is_kept(desk: Client, changed: dict[str, object]) -> None:
    party = courier()
    body = {"courier": str(party), "base": "shanghai-xuhui", "day": [str(day(1))], "once": "1", **changed}
    answer = desk.post("/desk/shifts", body)
    page = answer.content.decode()
    assert answer.status_code == 422 and 'role="alert"' in page
    if "base" not in changed:
        assert '<option value="shanghai-xuhui" selected>' in page
    if "courier" not in changed:
        assert f'<option value="{party}" selected>' in page
    assert "填写有误" not in page and visits.shifts(day(), day(13)) == []


def test_a_new_courier_s_password_is_shown_once_and_works(desk: Client) -> None:
    form = desk.get("/desk/couriers/new").content.decode()
    once = re.search(r'name="once" value="([^"]+)"', form)
    assert once is not None
    body = {"name": "何师傅", "badge": "SH0009", "phone": "139 0013 9000", "username": "He", "once": once[1]}
    short = desk.post("/desk/couriers/new", body)
    assert short.status_code == 422 and 'value="139 0013 9000"' in short.content.decode()
    body["username"] = "HeFu"
    first, second = desk.post("/desk/couriers/new", body), desk.post("/desk/couriers/new", body)
    passwords = {re.search(r"data-password>([^<]+)<", a.content.decode())[1] for a in (first, second)}
    assert len(passwords) == 1, "a double tap shows the same one"
    assert first.headers["Cache-Control"] == "no-store"
    (password,) = passwords
    assert parties.sign_in_staff("hefu", password).role == Role.COURIER
    assert [c.badge for c in people.couriers()] == ["SH0009"]
    again = desk.post("/desk/couriers/new", {**body, "once": "another"})
    assert again.status_code == 409 and "SH0009 已经有人用了" in again.content.decode()
    assert parties.sign_in_staff("hefu", password).role == Role.COURIER, "and the password is still theirs"


def test_first_passwords_differ_by_form_and_login() -> None:
    made = {couriers.first_password(number, login) for number in ("1", "2") for login in ("a", "b")}
    assert len(made) == 4
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", password) for password in made)


def test_a_login_of_the_desk_cannot_be_taken_over(desk: Client) -> None:
    body = {"name": "何师傅", "badge": "SH0009", "phone": "13900139000", "username": "desk1", "once": "1"}
    answer = desk.post("/desk/couriers/new", body)
    assert answer.status_code == 409 and people.couriers() == []
    assert parties.sign_in_staff("desk1", "a long enough password").role == Role.DESK


@pytest.mark.parametrize("role", [Role.COURIER, Role.REGULATOR, Role.RECYCLER])
def test_only_the_desk(role: Role) -> None:
    party = courier()
    other = at_desk.signed_in("other", role)
    for address in ("couriers", "couriers.csv", "couriers/new", f"couriers/{party}", "shifts", "call", "call/kinds"):
        assert other.get(f"/desk/{address}").status_code == 403
        assert Client().get(f"/desk/{address}").headers["Location"].startswith("/staff/sign-in?next=")
    for address in ("call", "call/quote", "call/person", "call/caller", "shifts", "couriers/new"):
        assert other.post(f"/desk/{address}").status_code == 403
