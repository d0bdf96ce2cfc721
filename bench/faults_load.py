"""What the clients of the proof do: whole orders and plain movements of money through the domain's own actions.

Verdicts on pictures are given here, since no picture is read; everything else is the platform's own: workers, vault,
issuer, wallet, custodian.
"""

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from bench.faults_client import Asking, Path_, Seller
from huika.domain.field import actions as field_actions
from huika.domain.ledger import actions as ledger
from huika.domain.ledger.types import Leg
from huika.domain.market import actions as market
from huika.domain.market import queries as offers
from huika.domain.market.types import Line
from huika.domain.parties import actions as parties
from huika.domain.parties import queries as people
from huika.domain.parties.types import Actor, Role
from huika.domain.settlement import actions as settlement
from huika.domain.settlement import queries as settlement_queries
from huika.domain.settlement.errors import FloatTooSmall
from huika.domain.trade import actions as trade
from huika.domain.trade import queries as orders
from huika.kit import clock, money
from huika.kit.ports import provider
from huika.kit.refusals import Refusal
from huika.sim import client as api
from huika.sim.city import CITY

SPACE = UUID(int=0xFA17)
FACES_FEN = (200_00, 500_00, 1000_00)


def people_for(count: int, run: str) -> list[Seller]:
    """Sellers who are verified, with consents and a payee."""
    made = []
    for n in range(count):
        party = parties.telephone_seller(f"136{n:08d}")
        name = "演练卖家"
        parties.identity_answered(parties.submit_identity(party, name, api.identity_number(n)), True)
        parties.give_consents(party, ["service", "identity", "address", "payee", "statistics"])
        payee = parties.save_payee(Actor(party, Role.SELLER), "wallet", f"o{run}-{n}", name)
        made.append(Seller(party, payee))
    return made


class Hand(Asking):
    """A client and what it does."""

    # -- whole orders

    def order(self) -> Path_:
        """Compared, accepted, visited, locked at the issuer, paid to the wallet, settled."""
        _, order = yield from self._accepted("wallet")
        yield from self._at_the_door(order)
        yield from self._locked(order)
        yield from self._ended(order)

    def reserve(self) -> Path_:
        """The same with a part of the net kept: released by its date, contested, or divided by a decision."""
        _, order = yield from self._accepted("wallet", reserve=True)
        yield from self._at_the_door(order)
        yield from self._locked(order)
        yield from self._ended(order)
        for (card,) in self.rows("SELECT card_id FROM settlement_reserve WHERE order_id = %s ORDER BY card_id", order):
            how, evidence = self.source.choice(("date", "contest", "drop", "decide")), self._id("evidence")
            with suppress(Refusal):  # its date may have come first, asked for by another client
                if how in ("contest", "drop"):
                    self.do(settlement.contest, card, evidence)
                if how == "drop":
                    self.do(settlement.drop_contest, card)
                if how in ("contest", "decide"):
                    fen = self.rows("SELECT amount_fen FROM settlement_reserve WHERE card_id = %s", card)[0][0]
                    self.do(settlement.apply_decision, self._id("decision"), card, self.source.randint(0, fen))
            release_due(self)
        yield from self.until(
            lambda: (
                not self.rows(
                    "SELECT 1 FROM settlement_reserve WHERE order_id = %s AND state <> 'settled' LIMIT 1", order
                )
            ),
            "reserve",
        )

    def cash(self) -> Path_:
        """Paid from the courier's purse in whole yuan."""
        _, order = yield from self._accepted("cash")
        courier = yield from self._at_the_door(order)
        yield from self._locked(order)
        yield from self.until(lambda: not self._cards(order, "locking"), "lock")
        due = sum(fen for _, fen in self._cards(order, "credited"))
        if due:
            try:
                self.do(trade.pay_cash, order, courier, money.ceil_yuan_fen(due))
            except FloatTooSmall:
                self.do(settlement.issue_float, courier, f"more-{order}", 5_000_00)
                self.do(trade.pay_cash, order, courier, money.ceil_yuan_fen(due))
        yield from self._ended(order)

    def cancelled(self) -> Path_:
        """Accepted, then called off at some moment before the visit."""
        _, order = yield from self._accepted("wallet")
        if self.source.random() < 0.5:
            yield from self.until(lambda: self._visit(order)[1] == "ready", "ready")
        self.do(trade.cancel, order, "seller")

    def declined(self) -> Path_:
        """The seller walks away at the door."""
        _, order = yield from self._accepted("wallet")
        yield from self._at_the_door(order)
        self.do(trade.decline, order)
        yield from self._ended(order)

    def _accepted(self, rail: str, *, reserve: bool = False) -> Any:
        seller = next(self.world.next_seller)
        district, *_ = self.source.choice(self.world.districts)
        count = self.source.choice((1, 1, 2))
        lines = [Line(n, "walmart", self.source.choice(FACES_FEN), "electronic") for n in range(1, count + 1)]
        covered = frozenset(self.world.recyclers)
        compared = self.do(market.compare, CITY, district, lines, served=True, covered=covered)
        found = self.read(lambda: offers.comparison(compared).ranking.offers)
        whole = [o for o in found if len(o.lots) == 1][:6] or found[:1]
        order = self.do(trade.quote, seller.party, compared, self.source.choice(whole).id)
        if reserve:  # what a seller who chose an offer with a reserve would have in the order
            self.rows("UPDATE trade_card SET reserve_fen = net_fen / 5 WHERE order_id = %s", order)
            self.rows("UPDATE trade_lot SET reserve_days = %s WHERE order_id = %s", self.source.randint(0, 2), order)
        for tried in range(8):
            opens = _tomorrow(self.source.randrange(6), tried // 4)
            how = trade.Acceptance(opens, "演练路 1 号", rail, seller.payee if rail != "cash" else None)
            try:
                self.do(trade.accept, order, how)
                break
            except Refusal as refusal:
                if refusal.code != "window_gone" or tried == 7:
                    raise
        yield
        return seller, order

    def _at_the_door(self, order: UUID) -> Any:
        yield from self.until(lambda: self._visit(order)[1] == "ready", "ready")
        visit, _, courier = self._visit(order)
        self.do(field_actions.depart, visit)
        self.do(trade.arrive, order, self.read(lambda: people.door_codes(visit)[1]))
        for card, _ in self._cards(order, "declared"):
            digest = hashlib.sha256(card.bytes).digest()
            back = hashlib.sha256(digest).digest()
            shots = [trade.Shot(b"jpeg", sha, sha, 10, 10) for sha in (digest, back)]
            self.do(trade.capture, card, courier, *shots, "")
            self.do(trade.judged, card, "clear", digest.hex())
            yield
        return courier

    def _locked(self, order: UUID) -> Any:
        """Sealed by the client for the vault, then locked at the issuer by a worker."""
        cards = self.rows("SELECT id, face_value_fen FROM trade_card WHERE order_id = %s AND state = 'clear'", order)
        for card, face in cards:
            number = f"2326{int.from_bytes(card.bytes[-8:], 'big') % 10**16:016d}"
            yield from self._outside(lambda number=number, face=face: self._issue(number, face))
            event = self.do(trade.uncover, card)
            ticket = self.read(lambda card=card, event=event: orders.seal_ticket(card, event))
            yield from self._outside(lambda ticket=ticket, number=number: self._seal(ticket, number))
            self.do(trade.lock, card)
            yield

    def _issue(self, number: str, face_fen: int) -> None:
        head = {"Authorization": f"Bearer {self.world.issuer_token}"}
        body = {
            "kind": "walmart",
            "number": number,
            "pin": "654321",
            "face_value_fen": face_fen,
            "balance_fen": face_fen,
            "behaviour": "normal",
        }
        answer = self.http.post(f"{self.world.sandbox}/issuer/cards", headers=head, json=body)
        if answer.status_code != 409:
            answer.raise_for_status()

    def _seal(self, ticket: Any, number: str) -> None:
        from django.conf import settings

        from huika.kit.safe_http import NoAnswer, NotSent

        try:
            key = provider("vault").key()
        except (NoAnswer, NotSent) as error:
            raise OSError("the vault does not answer") from error
        asked = {
            "capability": ticket.capability,
            "seal_url": f"{settings.VAULT_URL}/seal",
            "key": key,
            "info": f"huika-pin/1|{ticket.order}|{ticket.card}|{ticket.picture}",
        }
        api.seal(self.http, asked, number, "654321")

    def _ended(self, order: UUID) -> Path_:
        def ended() -> bool:
            state = self.rows("SELECT state FROM trade_order WHERE id = %s", order)[0][0]
            for card, _ in self._cards(order, "suspected"):
                self.do(trade.cleared_by_person, card, False)
            return state in ("settled", "closed", "declined_free", "cancelled")

        yield from self.until(ended, "settled")

    def _visit(self, order: UUID) -> tuple[UUID, str, UUID]:
        found = self.rows("SELECT id, state, courier_id FROM field_visit WHERE order_id = %s", order)
        return found[0] if found else (order, "", order)

    def _cards(self, order: UUID, state: str) -> list[tuple[UUID, int]]:
        return self.rows(
            "SELECT id, net_fen FROM trade_card WHERE order_id = %s AND state = %s ORDER BY n", order, state
        )

    # -- plain movements

    def transfer(self) -> Path_:
        """Money between two accounts of one's own, and every third time back again."""
        at = clock.now()
        mine = [f"transit:faults-{self.n}-{side}" for side in "ab"]
        for code in mine:
            self.do(ledger.open_account, code, "transit", at, floor_fen=0)
        key, subject, fen = f"faults:{self.world.run}:{self.n}:{self.asked}", self._id("transfer"), self._fen()
        into = [Leg("outside:bank", -fen), Leg(mine[0], fen)]
        self.do(ledger.post, f"{key}:in", "faults.transfer", subject, into, at)
        over = [Leg(mine[0], -fen), Leg(mine[1], fen)]
        posting = self.do(ledger.post, f"{key}:over", "faults.transfer", subject, over, at)
        if self.source.random() < 0.33:
            self.do(ledger.reverse, f"{key}:back", posting, at)
        yield

    def transfer_only(self) -> Path_:
        """Money from the bank to an account of one's own. For the controls."""
        at, mine = clock.now(), f"transit:faults-{self.n}-only"
        self.do(ledger.open_account, mine, "transit", at, floor_fen=0)
        legs = [Leg("outside:bank", -100), Leg(mine, 100)]
        self.do(ledger.post, f"faults:{self.n}:{self.asked}", "faults.transfer", self._id("transfer"), legs, at)
        yield

    def float(self) -> Path_:
        """A courier is handed cash and brings some of it back."""
        courier = UUID(self.source.choice(sorted(self.world.city.couriers.values())))
        reference = f"faults-{self._id('float').hex[:12]}"
        self.do(settlement.issue_float, courier, reference, 300_00)
        yield
        self.do(settlement.return_float, courier, f"{reference}-back", 250_00, self._id("desk"))

    def bare(self) -> Path_:
        """A lot's money without an order around it: frozen, credited, paid by the rail. For the controls."""
        seller, recycler = self.source.choice(self.world.sellers), self.source.choice(self.world.recyclers)
        order, lot, card = (self._id(what) for what in ("order", "lot", "card"))
        fen = self._fen()
        self.do(settlement.request_freeze, order, lot, recycler, fen * 4)
        yield from self.until(
            lambda: self.rows("SELECT 1 FROM settlement_freeze WHERE lot_id = %s AND state = 'frozen'", lot), "frozen"
        )
        nets = {"accepted_net_fen": fen, "net_fen": fen, "fees": [("platform", 1_00)]}
        self.do(settlement.credit_card, lot, card, seller.party, **nets)
        self.do(settlement.pay_by_rail, order, card, seller.party, seller.payee, fen)
        yield from self.until(
            lambda: not self.rows("SELECT 1 FROM settlement_payout WHERE card_id = %s AND state <> 'paid'", card),
            "paid",
        )

    def _id(self, what: str) -> UUID:
        return uuid5(SPACE, f"{self.world.run}/{self.n}/{self.asked}/{what}/{self.source.random()}")

    def _fen(self) -> int:
        return self.source.randint(10_00, 900_00)


def _tomorrow(window: int, later: int) -> datetime:
    day = clock.now().astimezone(clock.SHANGHAI).date() + timedelta(days=1 + later)
    return datetime(day.year, day.month, day.day, 9 + 2 * window, tzinfo=clock.SHANGHAI)


def release_due(hand: Asking) -> None:
    """Reserves go to their sellers as if their date had come, three days from now."""
    with clock.shifted(timedelta(days=3)):
        for card in settlement_queries.reserves_due(clock.now()):
            with suppress(Refusal):
                hand.do(settlement.release_reserve, card)


def tidy(hand: Hand) -> None:
    """What clients left behind is ended as the desk would: called off, or the seller keeps the card."""
    for order, state in hand.rows("SELECT id, state FROM trade_order WHERE state IN ('accepted', 'in_progress')"):
        with suppress(Refusal):
            hand.do(*((trade.cancel, order, "desk") if state == "accepted" else (trade.decline, order)))
        for card, _ in hand._cards(order, "suspected"):
            with suppress(Refusal):
                hand.do(trade.cleared_by_person, card, False)
        for _, fen in hand._cards(order, "credited"):
            rail, courier = hand.rows(
                "SELECT o.rail, v.courier_id FROM trade_order o JOIN field_visit v ON v.id = o.visit_id"
                " WHERE o.id = %s",
                order,
            )[0]
            if rail == "cash" and fen:
                due = sum(f for _, f in hand._cards(order, "credited"))
                with suppress(Refusal):
                    hand.do(trade.pay_cash, order, courier, money.ceil_yuan_fen(due))
    release_due(hand)
