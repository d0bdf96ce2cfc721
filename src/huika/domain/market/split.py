"""The best way to share a basket among at most three recyclers, exactly. Pure; entered by `best`.

A card is worth to the seller what its recycler leaves of it after fees by ratio; fixed fees fall once a recycler that
is used; a recycler may need a least face value, payout or number of cards, and may take no more than a face value: that
is facility location with side constraints. Every set of up to three recyclers has an upper bound, what it would bring
if its needs did not matter, and a lower one by prices on the needs (Lagrangian relaxation: Geoffrion 1974). Sets are
searched depth first, the highest bound before the others, until no bound exceeds what was found.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Accept = Callable[[tuple[int, ...]], bool]

MOST_RECYCLERS: Final = 3
NOT_TAKEN: Final = -(1 << 40)
"""Stands for the value of a card that a recycler does not take; below any sum of fen."""
MOST_BRANCHES: Final = 200_000
"""After so many the search gives up proving that its answer is the best."""
# One fen is so many units: the rest orders answers that bring the same, by how many recyclers and by who they are.
_FEN: Final = 2048
_ONE_MORE: Final = 256
_NEVER: Final = -(1 << 60)
_TAKEN: Final = _NEVER >> 9  # values above it are of cards that are taken
_FEW_CARDS: Final = 5  # so many are given in every way at once
_FEW_BIDDERS: Final = 24  # triples of so many are bounded at once
_LISTED_BIDDERS: Final = 64  # the members of every set of so many are kept in a table
_AT_ONCE: Final = 48
_FIRST: Final = 16
_BATCH: Final = 512
_STEPS: Final = 5
_LOSS: Final = 0.5  # of a unit: far above what sums of floats lose here, far below the least difference, one unit


@dataclass(frozen=True)
class Bidder:
    """One recycler before the basket. Lists have one entry a card; amounts in fen."""

    values: Sequence[int]  # after fees by ratio, before fixed fees; NOT_TAKEN where it takes no such card
    payouts: Sequence[int]  # before any fee; of no meaning where the card is not taken
    fixed_fen: int = 0
    least_face_fen: int = 0
    least_payout_fen: int = 0
    least_cards: int = 1
    most_face_fen: int | None = None
    order: int = 0  # 0..255: who goes first among answers that bring the same


@dataclass(frozen=True)
class Answer:
    """`of` names the bidder of each card by its place; `net_fen` is after fixed fees. `proved`: nothing brings more.

    Without a proof `of` may be empty: the search stopped before it met an answer.
    """

    net_fen: int
    of: tuple[int, ...]
    proved: bool


def best(
    faces_fen: Sequence[int], bidders: Sequence[Bidder], *, least_recyclers: int = 1, accept: Accept = lambda of: True
) -> Answer | None:
    """The answer with the highest net by `least_recyclers` to three bidders; None where no set can take every card.

    `accept` refuses answers that break what needs cannot say; asked only of those that would be the best. Among equal
    nets: fewer recyclers, then the smaller sum of `order`, then the first in the order of the search.
    """
    if not faces_fen or len(bidders) < least_recyclers:
        return None
    return _Search(faces_fen, bidders, accept).run(least_recyclers)


class _Search:
    """`values` and `fixed` are in units; `weights` is needs × bidders × cards, `least` needs × bidders.

    The last bidder is nobody: takes nothing, costs nothing and needs nothing, so that every set has three members.
    """

    def __init__(self, faces_fen: Sequence[int], bidders: Sequence[Bidder], accept: Accept) -> None:
        self.accept = accept
        self.bidders, self.nobody = bidders, len(bidders)
        self.cards = len(faces_fen)
        taken = np.array([*(b.values for b in bidders), [NOT_TAKEN] * self.cards], dtype=np.int64)
        self.values = np.where(taken == NOT_TAKEN, _NEVER >> 8, taken * _FEN)
        self.fixed = np.array([*(b.fixed_fen * _FEN + _ONE_MORE + b.order for b in bidders), 0], dtype=np.int64)
        faces = np.broadcast_to(np.array(faces_fen, dtype=np.int64), taken.shape)
        needs = [(np.ones_like(faces), [max(1, b.least_cards) for b in bidders])]
        if any(b.least_face_fen for b in bidders):
            needs.append((faces, [b.least_face_fen for b in bidders]))
        if any(b.least_payout_fen for b in bidders):
            payouts = np.array([*(b.payouts for b in bidders), [0] * self.cards], dtype=np.int64)
            needs.append((payouts, [b.least_payout_fen for b in bidders]))
        if any(b.most_face_fen is not None for b in bidders):  # a cap is a need of negative weights
            most = [_NEVER if b.most_face_fen is None else -b.most_face_fen for b in bidders]
            needs.append((-faces, most))
        self.weights = np.array([weights for weights, _ in needs])
        self.least = np.array([[*least, _NEVER] for _, least in needs], dtype=np.int64)
        self.floats, self.float_weights = self.values.astype(np.float64), self.weights.astype(np.float64)
        self.found = _NEVER >> 10  # above any sum with a card that is not taken
        self.of: tuple[int, ...] = ()
        self.branches = 0

    def run(self, least_recyclers: int) -> Answer | None:
        sets = _Sets(self, least_recyclers)
        look = self._try_all if self.cards <= _FEW_CARDS else self._look
        hard = look(*sets.highest(_FIRST))  # for a good answer to begin with
        for some, bounds in sets.above(self.found):
            if bounds[0] > self.found:
                hard += look(some, bounds)
        for bound, members, prices in sorted(hard, key=lambda one: -one[0]):
            if bound < self.found + 1 - _LOSS or self.branches > MOST_BRANCHES:
                break
            _Set(self, members, prices).down(0, 0, 0)
        proved = self.branches <= MOST_BRANCHES
        if not self.of:
            return None if proved else Answer(0, (), proved)
        net = sum(self.bidders[r].values[c] for c, r in enumerate(self.of))
        return Answer(net - sum(self.bidders[r].fixed_fen for r in set(self.of)), self.of, proved)

    def _try_all(self, sets: Ints, bounds: Ints) -> list[tuple[float, tuple[int, ...], Floats]]:
        """Every way to give a few cards to the members of these sets, some sets at once: nothing is left to search."""
        for start in range(0, len(sets), _AT_ONCE):
            if bounds[start] > self.found:
                self._try(sets[start : start + _AT_ONCE])
        return []

    def _try(self, sets: Ints) -> None:
        ways = _ways(self.cards)  # members × cards × ways
        # Sums of floats are exact here: those of units stay below 2**53 wherever every card is taken.
        values = self.floats[sets].reshape(len(sets), -1)
        nets = values @ ways.reshape(values.shape[1], -1) - self.fixed[sets].sum(axis=1)[:, None]
        met = nets > self.found
        for weights, least in zip(self.float_weights, self.least, strict=True):
            for m in range(sets.shape[1]):
                met &= weights[sets[:, m]] @ ways[m] >= least[sets[:, m], None]
        nets = np.where(met, nets, -np.inf)
        while nets.flat[top := int(nets.argmax())] > self.found:
            n, way = divmod(top, nets.shape[1])
            self.keep(int(nets[n, way]), tuple(sets[n, ways[:, :, way].argmax(axis=0)].tolist()))
            nets[n, way] = -np.inf

    def _look(self, sets: Ints, bounds: Ints) -> list[tuple[float, tuple[int, ...], Floats]]:
        """Of these sets those that may hold more than what was found, each with its bound and the prices of it."""
        if not len(sets) or bounds[0] <= self.found:
            return []
        low, prices = self._tighten(sets)
        return [
            (float(low[n]), tuple(int(r) for r in sets[n] if r != self.nobody), prices[n])
            for n in np.flatnonzero(low >= self.found + 1 - _LOSS)
        ]

    def _tighten(self, sets: Ints) -> tuple[Floats, Floats]:
        """The lowest bound of each set over prices on its needs, and those prices, sets × needs × members."""
        values = self.values[sets].astype(np.float64)  # sets × members × cards
        fixed = self.fixed[sets].sum(axis=1)
        weights = np.moveaxis(self.weights[:, sets], 0, 1).astype(np.float64)  # sets × needs × members × cards
        least = np.moveaxis(self.least[:, sets], 0, 1).astype(np.float64)
        asked = np.where(least <= _NEVER, 0, least)
        prices = np.zeros(least.shape)
        lowest, at_lowest = np.full(len(sets), np.inf), prices
        spread = values.max(axis=(1, 2), keepdims=True)
        size = np.abs(asked).max(axis=2, keepdims=True).clip(min=1.0)  # sets × needs × 1
        places = np.arange(sets.shape[1])[None, :, None]
        for step in range(_STEPS):
            worth = values + np.einsum("snm,snmc->smc", prices, weights)
            chosen = worth.argmax(axis=1)  # sets × cards
            bound = worth.max(axis=1).sum(axis=1) - np.einsum("snm,snm->s", prices, asked) - fixed
            better = bound < lowest
            lowest, at_lowest = np.where(better, bound, lowest), np.where(better[:, None, None], prices, at_lowest)
            given = (chosen[:, None, :] == places).astype(np.float64)  # sets × members × cards
            missing = least - np.einsum("snmc,smc->snm", weights, given)  # above zero: not met
            self._keep(sets, values, chosen, fixed, missing)
            if not (lowest >= self.found + 1 - _LOSS).any():
                break
            length = 0.06 * 0.75**step * spread / size
            prices = np.maximum(0.0, prices + length * (missing / size).clip(-1.0, 1.0))
        return lowest, at_lowest

    def _keep(self, sets: Ints, values: Floats, chosen: Ints, fixed: Ints, missing: Floats) -> None:
        met = (missing <= 0).all(axis=(1, 2))
        if not met.any():
            return
        nets = np.take_along_axis(values, chosen[:, None, :], axis=1).sum(axis=(1, 2)) - fixed
        nets = np.where(met, nets, -np.inf)
        top = int(nets.argmax())
        if nets[top] > self.found:
            self.keep(int(nets[top]), tuple(int(sets[top, m]) for m in chosen[top]))

    def keep(self, units: int, of: tuple[int, ...]) -> None:
        """A better answer, unless it is not accepted."""
        if self.accept(of):
            self.found, self.of = units, of


@lru_cache
def _ways(cards: int) -> Floats:
    """Every way to give `cards` to the members of a set: 1 where it has the card, members × cards × ways."""
    given = np.indices((MOST_RECYCLERS,) * cards).reshape(cards, -1)
    ways: Floats = (given[None] == np.arange(MOST_RECYCLERS)[:, None, None]).astype(np.float64)
    return ways


@lru_cache
def _pairs(count: int) -> tuple[Ints, Ints, Ints]:
    """Both members of every pair, in order of the first; and from which pair on all are wholly after each bidder."""
    first, second = np.triu_indices(count, 1)
    return first, second, np.searchsorted(first, np.arange(count), side="right")


@lru_cache(maxsize=64)
def _members(count: int) -> Ints:
    """The three members of every set by its number: singles, pairs, triples; nobody is `count`."""
    first, second, starts = _pairs(count)
    single, pair = np.arange(count), np.column_stack([first, second])
    blocks = [
        np.column_stack([single, np.full((count, 2), count)]),
        np.column_stack([pair, np.full(len(pair), count)]),
        *(np.column_stack([np.full(len(pair) - start, a), pair[start:]]) for a, start in enumerate(starts)),
    ]
    return np.concatenate(blocks)


class _Sets:
    """Every set of bidders, by number, and what it would bring if its needs did not matter: singles, pairs, triples."""

    def __init__(self, search: _Search, least_recyclers: int) -> None:
        self.count = count = search.nobody
        values = np.ascontiguousarray(search.values[:count].T)  # cards × bidders
        fixed = search.fixed[:count]
        most = min(MOST_RECYCLERS, count, search.cards)
        self.first, self.second, self.starts = _pairs(count)
        pairs = np.maximum(values[:, self.first], values[:, self.second])
        pairs_fixed = fixed[self.first] + fixed[self.second]
        # Pairs stand in order of their first member: those wholly after `a` are the rest of the list.
        triples = len(self.first) - self.starts if most == MOST_RECYCLERS else np.zeros(count, dtype=np.int64)
        self.ends = np.cumsum([count, len(self.first), *triples])
        self.bounds = np.full(self.ends[-1], _NEVER, dtype=np.int64)
        if least_recyclers == 1:
            self.bounds[:count] = values.sum(axis=0) - fixed
        if most >= 2:
            self.bounds[count : self.ends[1]] = pairs.sum(axis=0) - pairs_fixed
        if triples.any() and count <= _FEW_BIDDERS:
            a, b, c = _members(count)[self.ends[1] :].T
            three = np.maximum(np.maximum(values[:, a], values[:, b]), values[:, c]).sum(axis=0)
            self.bounds[self.ends[1] :] = three - fixed[a] - fixed[b] - fixed[c]
            return
        for a in np.flatnonzero(triples):
            rest, place = slice(self.starts[a], None), slice(self.ends[1 + a], self.ends[2 + a])
            np.maximum(pairs[:, rest], values[:, a, None]).sum(axis=0, out=self.bounds[place])
            self.bounds[place] -= pairs_fixed[rest] + fixed[a]

    def highest(self, count: int) -> tuple[Ints, Ints]:
        """The `count` sets with the highest bounds, and these, falling; they are not among the others after."""
        if count < len(self.bounds):
            top = np.argpartition(self.bounds, len(self.bounds) - count)[-count:]
        else:
            top = np.arange(len(self.bounds))
        top = np.sort(top[self.bounds[top] > _NEVER])  # sets that are too small are none
        sets, bounds = self._falling(top)
        self.bounds[top] = _NEVER
        return sets, bounds

    def above(self, found: int) -> Iterator[tuple[Ints, Ints]]:
        """The others whose bound is above `found`, in batches of falling bounds."""
        sets, bounds = self._falling(np.flatnonzero(self.bounds > max(found, _NEVER)))
        for start in range(0, len(sets), _BATCH):
            yield sets[start : start + _BATCH], bounds[start : start + _BATCH]

    def _falling(self, numbers: Ints) -> tuple[Ints, Ints]:
        ordered = numbers[np.argsort(-self.bounds[numbers], kind="stable")]
        if self.count <= _LISTED_BIDDERS:
            return _members(self.count)[ordered], self.bounds[ordered]
        part = np.searchsorted(self.ends, ordered, side="right")  # 0: singles, 1: pairs, 2 + a: triples from a on
        within = ordered - np.concatenate([[0], self.ends])[part]
        a = np.maximum(part - 2, 0)
        pair = np.where(part == 1, within, np.where(part >= 2, within + self.starts[a], 0))
        members = (
            np.where(part == 0, within, np.where(part == 1, self.first[pair], a)),
            np.where(part == 0, self.count, np.where(part == 1, self.second[pair], self.first[pair])),
            np.where(part >= 2, self.second[pair], self.count),
        )
        return np.column_stack(members), self.bounds[ordered]


class _Set:
    """The search of one set of recyclers: dear cards first, those that nobody can tell apart in the members' order."""

    def __init__(self, search: _Search, members: tuple[int, ...], prices: Floats) -> None:
        self.search, self.members = search, members
        values = search.values[list(members)].T.tolist()
        self.order = sorted(range(search.cards), key=lambda c: (-max(values[c]), values[c], c))
        self.values: list[list[int]] = [values[c] for c in self.order]
        self.fixed = int(search.fixed[list(members)].sum())
        self.needs: list[tuple[list[int], float]] = []  # weights in the order of cards, price
        self.left: list[int] = []  # what each need still lacks
        self.of_member: list[list[int]] = [[] for _ in members]
        for n in range(len(search.least)):
            for m, r in enumerate(members):
                if search.least[n, r] > _NEVER:
                    self.of_member[m].append(len(self.needs))
                    self.needs.append(([int(search.weights[n, r, c]) for c in self.order], float(prices[n, m])))
                    self.left.append(int(search.least[n, r]))
        self.twins = [c > 0 and self._alike(c) for c in range(search.cards)]
        self.given = [0] * search.cards
        self._suffixes()

    def _alike(self, c: int) -> bool:
        return self.values[c] == self.values[c - 1] and all(w[c] == w[c - 1] for w, _ in self.needs)

    def _suffixes(self) -> None:
        """From each card on: the most it can bring, without prices and with the set's; the most each need can get."""
        cards = self.search.cards
        self.most, self.priced = [0] * (cards + 1), [0.0] * (cards + 1)
        self.reach = [[0] * len(self.needs) for _ in range(cards + 1)]
        for c in range(cards - 1, -1, -1):
            self.most[c] = self.most[c + 1] + max(self.values[c])
            self.priced[c] = self.priced[c + 1] + max(v + self._worth(m, c) for m, v in enumerate(self.values[c]))
            for m, needs in enumerate(self.of_member):
                for i in needs:
                    more = max(0, self.needs[i][0][c]) if self.values[c][m] > _TAKEN else 0
                    self.reach[c][i] = self.reach[c + 1][i] + more

    def _worth(self, m: int, c: int) -> float:
        return sum(self.needs[i][1] * self.needs[i][0][c] for i in self.of_member[m])

    def down(self, card: int, net: int, before: int) -> None:
        """Give `card` and those after it; `net` is of those before, `before` the member of the last one."""
        search = self.search
        search.branches += 1
        if any(lacks > reach for lacks, reach in zip(self.left, self.reach[card], strict=True)):
            return
        net_most = net + self.most[card] - self.fixed
        if net_most <= search.found or search.branches > MOST_BRANCHES:
            return
        lacking = sum(price * lacks for (_, price), lacks in zip(self.needs, self.left, strict=True))
        if net + self.priced[card] - lacking - self.fixed < search.found + 1 - _LOSS:
            return
        if card == search.cards:
            given = dict(zip(self.order, self.given, strict=True))
            search.keep(net_most, tuple(self.members[given[c]] for c in range(card)))
            return
        values = self.values[card]
        first = before if self.twins[card] else 0
        for m in sorted(range(first, len(values)), key=lambda m: -values[m]):
            if values[m] > _TAKEN:
                self.given[card] = m
                for i in self.of_member[m]:
                    self.left[i] -= self.needs[i][0][card]
                self.down(card + 1, net + values[m], m)
                for i in self.of_member[m]:
                    self.left[i] += self.needs[i][0][card]
