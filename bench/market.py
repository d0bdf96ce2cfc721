"""Top offers from ten million prices against databases: `make bench NAME=market` (ROUNDS=5, CELLS=3000, ROWS=10000000).

500 recyclers × 300 kinds × 300 cities; a cell is the live table's full key (kind, face value, city, form, condition,
channel). A question is a card: the ten recyclers that leave most of it after all fees, prices of its own face value
before those of any. The process's sorted arrays (`market.live_book`), PostgreSQL (covering index, prepared statement,
same machine), DuckDB and Polars answer the same random cells in five rounds, in an order drawn anew, each after a rest.
  ratio_postgres_p99  PostgreSQL's p99 / ours, by round: the median, with 95 % bounds by resampling rounds
  p99_us, p50_us      ours, over all rounds; update_p99_us: one offer changed
  disagreements       cells where any of the four gives another recycler or another fen
  unnamed_p99_us      ours for a face value that nobody names, which is ranked when it is asked for
  http_…              the whole comparison over HTTP with its statements (bench.comparing), after all that;
                      TABLE_ALONE=1 leaves it out
Control: the same cells without the fees must disagree somewhere, or equal answers would show little.
"""

import io
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import duckdb
import numpy as np
import polars as pl
import psycopg

from bench import comparing, report
from huika.domain.market.live_book import LiveBook
from huika.domain.market.types import Fee, Place
from huika.faces.cli.stack import ROOT
from huika.kit import postgres

ROUNDS = int(os.environ.get("ROUNDS", "5"))
CELLS = int(os.environ.get("CELLS", "3000"))
ROWS = int(os.environ.get("ROWS", "10000000"))
SEED = int(os.environ.get("SEED", "1"))
RECYCLERS, KINDS, CITIES = 500, 300, 300
FACES = (100_00, 200_00, 300_00, 500_00, 1000_00, 5000_00)
FORMS, CONDITIONS, CHANNELS = ("electronic", "physical"), ("intact", "scratched"), ("visit", "online", "drop_off")
PLATFORM = (Fee("visit", "上门", "visit", 2_00, 0), Fee("platform", "平台", "platform", 0, 35))
UNNAMED = 777_00  # a face value without a cell of its own: ranked when it is asked for
REST_SECONDS = 1.0
AIM_RATIO, AIM_P99, AIM_UPDATE = 10.0, 100.0, 50.0
COLUMNS = ("city", "kind", "form", "condition", "channel", "face", "recycler", "ratio")
Top = list[tuple[int, int]]
Ask = Callable[[tuple[int, ...]], Top]

# Fees by ratio are rounded half to even: round() of a double does so in PostgreSQL, round_even in DuckDB.
SQL = """
SELECT recycler, net FROM (
    SELECT recycler, gross - f.fixed - {r}(gross * f.bp1 / 10000{z}) - {r}(gross * f.bp2 / 10000{z})
        - {visit} - {r}(gross * {bp} / 10000{z}) AS net
    FROM (
        SELECT DISTINCT ON (recycler) recycler, {r}(ratio * {p6}::double precision / 10000{z}) AS gross
        FROM price WHERE city = {p1} AND kind = {p2} AND form = {p3} AND condition = {p4} AND channel = {p5}
            AND face IN (0, {p6}) ORDER BY recycler, face DESC
    ) own JOIN fee f USING (recycler)
) nets WHERE net > 0 ORDER BY net DESC, recycler LIMIT 10
"""


@dataclass(frozen=True)
class Table:
    """All rows as columns of small numbers, and each recycler's fees: fixed fen, basis points twice."""

    rows: pl.DataFrame
    fees: list[tuple[int, int, int]]
    keys: np.ndarray  # kind × city: form, condition, channel, face value in fen

    def ask_for(self, kind: int, city: int) -> tuple[int, ...]:
        """The question about this kind in this city: city, kind, form, condition, channel, face value."""
        form, condition, channel, face = (int(v) for v in self.keys[kind, city])
        return city, kind, form, condition, channel, face


def table(source: np.random.Generator) -> Table:
    """Each recycler buys a share of all kinds and cities at any face value, some at one face value too."""
    share = ROWS / (RECYCLERS * KINDS * CITIES)
    keys = np.stack(
        [
            source.integers(0, 2, (KINDS, CITIES)),
            source.integers(0, 2, (KINDS, CITIES)),
            source.integers(0, 3, (KINDS, CITIES)),
            source.choice(FACES, (KINDS, CITIES)),
        ],
        axis=2,
    )
    frames = []
    for kind in range(KINDS):
        for part, own_face in ((0.72, False), (0.28, True)):
            city, recycler = np.nonzero(source.random((CITIES, RECYCLERS)) < share * part)
            form, condition, channel, face = keys[kind, city].T
            frames.append(
                pl.DataFrame(
                    {
                        "city": city.astype(np.int16),
                        "kind": np.full(len(city), kind, dtype=np.int16),
                        "form": form.astype(np.int16),
                        "condition": condition.astype(np.int16),
                        "channel": channel.astype(np.int16),
                        "face": (face if own_face else np.zeros_like(face)).astype(np.int32),
                        "recycler": recycler.astype(np.int16),
                        "ratio": source.integers(8500, 9800, len(city)).astype(np.int16),
                    }
                )
            )
    rows = pl.concat(frames).sort(*COLUMNS[:-1])
    fees = [
        (int(source.choice([0, 0, 1_00, 5_00])), int(source.choice([0, 30, 80])), int(source.choice([0, 0, 25])))
        for _ in range(RECYCLERS)
    ]
    return Table(rows, fees, keys)


def place(question: tuple[int, ...]) -> Place:
    """A question in the words of the live table."""
    city, kind, form, condition, channel, face = question
    return Place(f"k{kind}", face or None, f"c{city}", FORMS[form], CONDITIONS[condition], CHANNELS[channel])


def ours(data: Table, platform: tuple[Fee, ...] = PLATFORM) -> LiveBook:
    """The arrays."""
    fees = [[Fee("f", "", "", fixed, one), Fee("g", "", "", 0, two)] for fixed, one, two in data.fees]
    book = LiveBook(range(RECYCLERS), fees, {f"c{n}": platform for n in range(CITIES)})
    for part, names in (
        ("kind", [f"k{n}" for n in range(KINDS)]),
        ("city", [f"c{n}" for n in range(CITIES)]),
        ("form", FORMS),
        ("condition", CONDITIONS),
        ("channel", CHANNELS),
        ("face", FACES),
    ):
        for name in names:
            book.names.number(part, name)
    numbers = np.zeros(len(data.rows), dtype=np.int64)
    start = 0
    cells = data.rows.group_by(COLUMNS[:6], maintain_order=True).len()
    for *question, count in cells.iter_rows():
        numbers[start : start + count] = book.number(place(tuple(question)))
        start += count
    book.load(numbers, *(data.rows[c].to_numpy().astype(np.uint16) for c in ("recycler", "ratio")))
    return book


def by_postgres(conn: psycopg.Connection, data: Table) -> Ask:
    """Loaded, indexed, vacuumed; every question is one prepared statement."""
    conn.execute(
        "CREATE TABLE price (city int2, kind int2, form int2, condition int2, channel int2, face int4, recycler int2,"
        " ratio int2); CREATE TABLE fee (recycler int2 PRIMARY KEY, fixed int4, bp1 int2, bp2 int2)"
    )
    with conn.cursor() as cursor, cursor.copy("COPY price FROM STDIN (FORMAT csv)") as copy:
        for part in data.rows.iter_slices(500_000):
            buffer = io.BytesIO()
            part.write_csv(buffer, include_header=False)
            copy.write(buffer.getvalue())
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO fee VALUES (%s, %s, %s, %s)", [(n, *fee) for n, fee in enumerate(data.fees)])
    conn.execute("CREATE UNIQUE INDEX ON price (city, kind, form, condition, channel, face, recycler) INCLUDE (ratio)")
    conn.execute("VACUUM ANALYZE price")
    conn.execute("ANALYZE fee")
    text = SQL.format(
        r="round", z="", visit=PLATFORM[0].fixed_fen, bp=PLATFORM[1].bp, **{f"p{n}": f"${n}" for n in range(1, 7)}
    )
    conn.execute(f"PREPARE top (int2, int2, int2, int2, int2, int4) AS {text}")
    cursor = conn.cursor()

    def ask(question: tuple[int, ...]) -> Top:
        cursor.execute("EXECUTE top ({}, {}, {}, {}, {}, {})".format(*question))
        return [(r, int(net)) for r, net in cursor.fetchall()]

    return ask


def server_side(conn: psycopg.Connection, questions: Sequence[tuple[int, ...]]) -> list[float]:
    """PostgreSQL's own execution time of the same, in microseconds."""
    found = []
    for question in questions:
        text = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE top ({}, {}, {}, {}, {}, {})".format(*question)
        row = conn.execute(text).fetchone()
        assert row is not None
        found.append(row[0][0]["Execution Time"] * 1e3)
    return found


def by_duckdb(data: Table) -> Ask:
    """In memory, sorted by the cell, so that zone maps leave most of it out."""
    conn = duckdb.connect()
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        data.rows.write_parquet(file.name)
        conn.execute(f"CREATE TABLE price AS SELECT * FROM read_parquet('{file.name}')")
    conn.execute("CREATE TABLE fee (recycler int2, fixed int4, bp1 int2, bp2 int2)")
    conn.executemany("INSERT INTO fee VALUES (?, ?, ?, ?)", [[n, *fee] for n, fee in enumerate(data.fees)])
    text = SQL.format(
        r="round_even",
        z=", 0",
        visit=PLATFORM[0].fixed_fen,
        bp=PLATFORM[1].bp,
        **{f"p{n}": f"${n}" for n in range(1, 7)},
    )
    return lambda question: [(r, int(net)) for r, net in conn.execute(text, list(question)).fetchall()]


def by_polars(data: Table) -> Ask:
    """A filter over all columns, then the same sums."""
    rows = data.rows
    fees = pl.DataFrame(
        [(n, *fee) for n, fee in enumerate(data.fees)], schema=["recycler", "fixed", "bp1", "bp2"], orient="row"
    ).cast({"recycler": pl.Int16})

    def ask(question: tuple[int, ...]) -> Top:
        face = question[5]
        same = [pl.col(name) == value for name, value in zip(COLUMNS[:5], question, strict=False)]
        own = (
            rows.filter(*same, pl.col("face").is_in([0, face]))
            .sort("face", descending=True)
            .unique("recycler", keep="first")
        )
        gross = own.join(fees, on="recycler").with_columns(
            (pl.col("ratio").cast(pl.Float64) * face / 10_000).round(0).alias("gross")
        )
        net = pl.col("gross") - pl.col("fixed") - PLATFORM[0].fixed_fen
        for bp in (pl.col("bp1"), pl.col("bp2"), pl.lit(PLATFORM[1].bp)):
            net = net - (pl.col("gross") * bp / 10_000).round(0)
        found = (
            gross.with_columns(net.alias("net"))
            .filter(pl.col("net") > 0)
            .sort("net", "recycler", descending=[True, False])
            .head(10)
        )
        return [(r, int(n)) for r, n in found.select("recycler", "net").iter_rows()]

    return ask


def measure(
    asks: dict[str, Ask], questions: Sequence[tuple[int, ...]], turns: int
) -> tuple[dict[str, list[list[float]]], int]:
    """Microseconds of each question by round, and how many cells had two answers."""
    took: dict[str, list[list[float]]] = defaultdict(list)
    disagreements = 0
    for turn in range(turns):
        some = questions[turn::turns]
        answers: dict[str, list[str]] = {}
        for name in random.Random(turn).sample(sorted(asks), len(asks)):
            ask, times, found = asks[name], [], []
            time.sleep(REST_SECONDS)  # threads of the one before come to rest
            for question in some[:20]:
                ask(question)  # to warm up
            for question in some:
                at = time.perf_counter_ns()
                answer = ask(question)
                times.append((time.perf_counter_ns() - at) / 1e3)
                found.append(str(answer))  # as text: the collector has nothing of it to follow in anybody's time
            took[name].append(times)
            answers[name] = found
        disagreements += sum(len(set(row)) > 1 for row in zip(*answers.values(), strict=True))
    return took, disagreements


def updates(book: LiveBook, conn: psycopg.Connection, questions: Sequence[tuple[int, ...]]) -> dict[str, list[float]]:
    """Microseconds of one changed offer: in the arrays, and as PostgreSQL's UPDATE; the two take turns as in `measure`.

    What changes is the offer for any face value, which every cell of one face value that borrows it has to follow.
    """
    took: dict[str, list[float]] = {"ours": [], "PostgreSQL": []}
    texts, changes = [], []
    for n, question in enumerate(questions):
        where = replace(place(question), face_value_fen=None)
        takers, ratio = book.top(replace(where, face_value_fen=UNNAMED), RECYCLERS), 8000 + n % 1000
        changes.append((where, takers[n % len(takers)].recycler, ratio))
        texts.append(
            f"UPDATE price SET ratio = {ratio} WHERE city = {question[0]} AND kind = {question[1]} AND form ="
            f" {question[2]} AND condition = {question[3]} AND channel = {question[4]} AND face = 0 AND recycler ="
            f" {changes[-1][1]}"
        )
    does: dict[str, list[Callable[[], object]]] = {
        "ours": [partial(book.put, *change) for change in changes],
        "PostgreSQL": [partial(conn.execute, text) for text in texts],
    }
    for turn in range(ROUNDS):
        for name in random.Random(turn).sample(sorted(does), len(does)):
            some = does[name][turn::ROUNDS]
            for change in does[name][(turn + 1) % ROUNDS :: ROUNDS][-20:]:
                change()  # to warm up, with others
            for change in some:
                at = time.perf_counter_ns()
                change()
                took[name].append((time.perf_counter_ns() - at) / 1e3)
    return took


def timed(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Microseconds of each call."""
    took = []
    for call in calls:
        at = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - at) / 1e3)
    return took


def main() -> None:
    """Run and report; exit status 0 even where an aim is missed."""
    source = np.random.default_rng(SEED)
    data = table(source)
    questions = [data.ask_for(int(source.integers(KINDS)), int(source.integers(CITIES))) for _ in range(CELLS)]
    print(f"{len(data.rows):,} rows, {len(questions)} cells, {ROUNDS} rounds", flush=True)
    name = f"huika_{postgres.checkout_hash(ROOT)}_bench_{os.getpid()}"
    postgres.prepare(ROOT, name, fresh=True)
    try:
        admin = os.environ.get("DATABASE_URL") or postgres.embedded(ROOT)
        with psycopg.connect(postgres.with_database(admin, name), autocommit=True) as conn:
            metrics, targets, peers = run(data, questions, conn)
    finally:
        postgres.drop(ROOT, name)
    over_http, aims = ({}, {}) if os.environ.get("TABLE_ALONE") else comparing.whole()
    metrics |= {f"http_{name}": value for name, value in over_http.items()}
    report.finish("market", metrics, targets | aims, peers)


def run(
    data: Table, questions: list[tuple[int, ...]], conn: psycopg.Connection
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Load all four, take turns, print the tables; metrics, targets, peers."""
    began = time.perf_counter()
    book = ours(data)
    took_s, size = time.perf_counter() - began, book.rows.nbytes / 1e6
    print(f"rows: {size:.0f} MB in {len(book.spans):,} cells, built in {took_s:.1f} s", flush=True)
    places = {q: place(q) for q in questions}
    asks: dict[str, Ask] = {
        "ours": lambda q: [(n.recycler, n.net_fen) for n in book.top(places[q])],
        "PostgreSQL": by_postgres(conn, data),
        "DuckDB": by_duckdb(data),
        "Polars": by_polars(data),
    }
    cpu = time.process_time()
    took, disagreements = measure(asks, questions, ROUNDS)
    bare = ours(data, ())
    without = [[(n.recycler, n.net_fen) for n in bare.top(place(q))] != asks["ours"](q) for q in questions[:100]]
    unnamed = timed([partial(book.top, replace(place(q), face_value_fen=UNNAMED)) for q in questions])
    inside = server_side(conn, questions[:500])
    changed = updates(book, conn, questions[:1000])
    rows: list[list[Any]] = [["", "p50 µs", "p99 µs", "ratio p50", "ratio p99", "95 % bounds"]]
    p = {n: [[report.quantile(t, q) for t in r] for q in (0.5, 0.99)] for n, r in took.items()}
    ratios = {n: [[x / o for x, o in zip(p[n][k], p["ours"][k], strict=True)] for k in (0, 1)] for n in p}
    for n, r in took.items():
        every = [t for times in r for t in times]
        said = (f"{report.quantile(every, q):.0f}" for q in (0.5, 0.99))
        rows.append([n, *said, *(f"{median(x):.1f}" for x in ratios[n]), report.bootstrap(ratios[n][1])])
    rows.append(["PostgreSQL, server side", *(f"{report.quantile(inside, q):.0f}" for q in (0.5, 0.99)), "", "", ""])
    for n, times in changed.items():
        rows.append([f"one offer changed, {n}", *(f"{report.quantile(times, q):.0f}" for q in (0.5, 0.99)), "", "", ""])
    quantiles = [f"{report.quantile(unnamed, q):.0f}" for q in (0.5, 0.99)]
    rows.append(["ours, a face value that nobody names", *quantiles, "", "", ""])
    report.table(rows)
    print(f"disagreements {disagreements} of {len(questions)}; CPU of this process {time.process_time() - cpu:.0f} s")
    verdict = "as they must" if any(without) else "TOO FEW"
    print(f"control: without the platform's fees {sum(without)} of {len(without)} answers differ, {verdict}")
    every = [t for times in took["ours"] for t in times]
    p99, ratio = report.quantile(every, 0.99), median(ratios["PostgreSQL"][1])
    update = report.quantile(changed["ours"], 0.99)
    metrics = {
        "ratio_postgres_p99": round(ratio, 2),
        "ratio_postgres_p99_bounds": report.bootstrap(ratios["PostgreSQL"][1]),
        "p50_us": round(report.quantile(every, 0.5), 1),
        "p99_us": round(p99, 1),
        "update_p99_us": round(update, 1),
        "unnamed_p99_us": round(report.quantile(unnamed, 0.99), 1),
        "disagreements": disagreements,
        "rows": len(data.rows),
        "control_differs": sum(without),
    }
    targets = {
        "ratio_postgres_p99": {"aim": AIM_RATIO, "value": round(ratio, 2), "ok": ratio >= AIM_RATIO},
        "p99_us": {"aim": AIM_P99, "value": round(p99, 1), "ok": p99 <= AIM_P99},
        "update_p99_us": {"aim": AIM_UPDATE, "value": round(update, 1), "ok": update <= AIM_UPDATE},
        "disagreements": {"aim": 0, "value": disagreements, "ok": disagreements == 0},
    }
    peers = {n: {"p50_us": round(median(p[n][0]), 1), "p99_us": round(median(p[n][1]), 1)} for n in p if n != "ours"}
    return metrics, targets, peers


if __name__ == "__main__":
    main()
