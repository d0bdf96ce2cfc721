"""The demo city Shanghai: invented recyclers with books drawn from the catalogue's ranges, couriers, staff.

Everything is made through the capabilities' own actions, and carries 演示 in its name.
"""

import json
import random
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings

from huika.adapters.custodian.bank import PAYOUT_ACCOUNT
from huika.domain.catalog import actions as catalog_actions
from huika.domain.catalog import queries as catalog
from huika.domain.catalog.types import Kind
from huika.domain.field import actions as field
from huika.domain.field.types import Place
from huika.domain.market import actions as market
from huika.domain.market.types import Fee, ReserveTerms, Terms
from huika.domain.parties import actions as parties
from huika.domain.parties.types import Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as money
from huika.kit import clock
from huika.kit.ports import provider

CITY = "shanghai"
PREFUND_FEN = 50_000_000_00
FLOAT_FEN = 20_000_00
PAY_RATES = {"visit": 18_00, "card": 2_00, "no_show": 10_00}
COURIERS = 8
SHIFT_DAYS = 4
PLATFORM_FEES = (
    Fee("visit", "上门费", "visit", fixed_fen=32_00),
    Fee("platform", "平台费", "platform", bp=50),
)
RECYCLERS = (
    ("青禾", "Qinghe", "vertical"),
    ("蓝湖", "Lanhu", "vertical"),
    ("石库门", "Shikumen", "local"),
    ("梧桐里", "Wutongli", "local"),
    ("潮汐", "Chaoxi", "ecommerce"),
    ("白鹭", "Bailu", "vertical"),
    ("弄堂口", "Longtangkou", "local"),
    ("云栖", "Yunqi", "ecommerce"),
    ("春申", "Chunshen", "local"),
    ("海棠", "Haitang", "vertical"),
    ("渡口", "Dukou", "local"),
    ("银杏", "Yinxing", "ecommerce"),
)
RESERVES = {"Qinghe": ReserveTerms(1000, 7, 50), "Shikumen": ReserveTerms(1000, 7, 50)}
"""Who pays more for a bagged card where a part of it comes later."""
OWN_SHOP = ("本店", "Own shop", "local")


@dataclass(frozen=True)
class City:
    """What was made: logins (username → password) and recyclers' private keys, for the demo's clients."""

    logins: dict[str, str]
    recyclers: dict[str, dict[str, str]]
    couriers: dict[str, str]  # username → party


def build(seed: int = 1, couriers: int = COURIERS, shift_days: int = SHIFT_DAYS) -> City:
    """Make the city, or find it made; the logins are kept in the installation's state folder."""
    place = Path(settings.STATE) / "city.json"
    if place.exists():
        known = json.loads(place.read_text())
        plan_days(known["couriers"], shift_days)
        return City(known["logins"], known["recyclers"], known["couriers"])
    catalog_actions.load()
    source = random.Random(seed)  # noqa: S311  the demo's prices are meant to repeat
    settlement.set_up([f.code for f in PLATFORM_FEES], 10_000_000_00)
    for fee in PLATFORM_FEES:
        market.set_platform_fee(CITY, fee)
    for piece, fen in PAY_RATES.items():
        settlement.set_rate(CITY, piece, fen, clock.now())
    for district in catalog.districts(CITY):
        field.open_area(CITY, district.slug, district.lat_e6, district.lng_e6)
    firms = [OWN_SHOP] if settings.MODE == "own" else RECYCLERS
    made = City({}, {}, {})
    custodian = provider("custodian")
    custodian.open_account(PAYOUT_ACCOUNT, "huika")
    with_staff: set[str] = set()
    for n, firm in enumerate(firms):
        made.recyclers[firm[1]] = _recycler(n, firm, source, custodian)
        if firm[2] not in with_staff:  # one member of staff a kind of recycler
            with_staff.add(firm[2])
            _login(made, f"recycler-{firm[2]}", Role.RECYCLER, UUID(made.recyclers[firm[1]]["party"]))
    for n in range(1, couriers + 1):
        party = parties.ensure_courier(f"演示专员 {n}", f"SH{n:04d}", f"139000{n:05d}")
        _login(made, f"courier{n}", Role.COURIER, party)
        made.couriers[f"courier{n}"] = str(party)
        settlement.issue_float(party, "first", FLOAT_FEN)
    for name, role in (("desk1", Role.DESK), ("desk2", Role.DESK), ("regulator", Role.REGULATOR)):
        _login(made, name, role, None)
    plan_days(made.couriers, shift_days)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch(mode=0o600)
    place.write_text(json.dumps({"logins": made.logins, "recyclers": made.recyclers, "couriers": made.couriers}))
    return made


def plan_days(couriers: dict[str, str], days: int) -> None:
    """Shifts of every courier from today on, spread over the city's districts."""
    today = clock.now().astimezone(clock.SHANGHAI).date()
    districts = catalog.districts(CITY)
    for n, party in enumerate(couriers.values()):
        home = districts[n % len(districts)]
        for ahead in range(days):
            field.plan_shift(UUID(party), CITY, today + timedelta(days=ahead), Place(home.lat_e6, home.lng_e6))


def _login(made: City, name: str, role: Role, party: UUID | None) -> None:
    made.logins[name] = secrets.token_urlsafe(9)
    parties.ensure_staff(name, role, made.logins[name], party)


def _recycler(n: int, firm: tuple[str, str, str], source: random.Random, custodian: Any) -> dict[str, str]:
    signing, release = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    kid = f"demo-{firm[1].lower().replace(' ', '-')}"
    party = parties.ensure_recycler(
        f"{firm[0]}（演示）",
        f"{firm[1]} (demo)",
        firm[2],
        f"DEMO-{n:04d}",
        date(2030, 12, 31),
        release.public_key().public_bytes_raw(),
        (kid, signing.public_key().public_bytes_raw()),
    )
    account = money.escrow_account(party)
    custodian.open_account(account, firm[1])
    custodian.deposit(f"prefund-{party}", account, PREFUND_FEN)
    settlement.prefund(party, f"prefund-{party}", PREFUND_FEN)
    kinds = catalog.kinds()
    own = settings.MODE == "own"
    market.publish_book(
        party,
        book(kinds, source, everything=own or n == 0),
        party,
        Terms(
            fees=() if own else (Fee("handling", "商家手续费", "handling", bp=source.choice((0, 40, 80))),),
            min_basket_fen=0 if own else source.choice((0, 0, 500_00)),
            reserve=RESERVES.get(firm[1]),
        ),
    )
    return {
        "party": str(party),
        "kid": kid,
        "signing": signing.private_bytes_raw().hex(),
        "release": release.private_bytes_raw().hex(),
    }


def book(kinds: tuple[Kind, ...], source: random.Random, *, everything: bool) -> str:
    """A price book within the catalogue's claimed ranges; about two kinds in three unless `everything`."""
    rows = ["kind,face_value,city,form,condition,channel,ratio"]
    for kind in kinds:
        if kind.policy == "refuse" or kind.currency != "CNY" or not (everything or source.random() < 0.66):
            continue
        for form, method in (("electronic", kind.lock_electronic), ("physical", kind.lock_plastic)):
            if method in (None, "transfer") or (form == "electronic" and method == "none"):
                continue
            for values, less in ((["*"], 0), (_large(kind), 30)):
                ratio = source.randint(kind.ratio_low_bp, kind.ratio_high_bp) + less
                rows += [f"{kind.slug},{v},{CITY},{form},intact,visit,{min(ratio, 9900) / 10000:.4f}" for v in values]
    return "\n".join(rows) + "\n"


def _large(kind: Kind) -> list[str]:
    """Face values of 1,000 yuan and more have a price of their own, as in the trade."""
    values: Any = kind.face_values
    return [str(v // 100) for v in values if v >= 1000_00] if isinstance(values, tuple) else []
