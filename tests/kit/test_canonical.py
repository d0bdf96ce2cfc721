"""One way of turning facts into bytes."""

import hashlib
import json
from collections import OrderedDict, namedtuple
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huika.kit import canonical

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_it_reads_back_and_has_one_form(value: object) -> None:
    raw = canonical.dumps(value)
    assert json.loads(raw) == value
    assert canonical.dumps(json.loads(raw)) == raw
    assert canonical.digest(value) == hashlib.sha256(raw).digest()


@given(st.dictionaries(texts, st.integers(), min_size=2, max_size=6), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, int], source: object) -> None:
    items = list(value.items())
    source.shuffle(items)
    assert canonical.dumps(dict(items)) == canonical.dumps(value)


def test_the_bytes_themselves() -> None:
    value = {
        "b": [1, True, None, '卡\n"é'],
        "a": UUID(int=5),
        "at": datetime(2026, 5, 20, 6, 30, tzinfo=UTC),
        "on": date(2026, 5, 20),
        "raw": b"\x00\xff",
        "pair": (1, 2),
    }
    assert canonical.dumps(value).decode() == (
        '{"a":"00000000-0000-0000-0000-000000000005","at":"2026-05-20T06:30:00+00:00","b":[1,true,null,"卡\\n\\"é"],'
        '"on":"2026-05-20","pair":[1,2],"raw":"00ff"}'
    )


@pytest.mark.parametrize("value", [1.0, float("nan"), Decimal("1"), {1, 2}, object(), {"a": [{"b": 0.5}]}])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical.dumps(value)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical.dumps("\ud800")


@dataclass(frozen=True)
class Inner:
    n: int | None
    at: date = date(2026, 5, 20)


@dataclass(frozen=True)
class Outer:
    inner: Inner
    many: tuple[Inner, ...] = ()
    by_name: dict[str, list[Inner]] = field(default_factory=dict)


def test_a_dataclass_unfolds_as_the_library_s_own_function_does() -> None:
    value = Outer(Inner(1), (Inner(None), Inner(2)), {"a": [Inner(3)], "b": []})
    assert canonical.asdict(value) == asdict(value)
    assert canonical.dumps(canonical.asdict(value)) == canonical.dumps(asdict(value))


class Named(str):
    pass


Pair = namedtuple("Pair", "a b")


def test_kinds_of_plain_values_have_the_form_of_what_they_are() -> None:
    assert canonical.dumps([Named("x"), OrderedDict(b=1, a=(True,)), Pair(1, 2)]) == b'["x",{"a":[true],"b":1},[1,2]]'
