"""Days that an address or a form names: read, or refused in a plain sentence beside the page with its usual days."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from huika.kit import clock
from huika.kit.refusals import Refusal

EARLIEST = date(2020, 1, 1)


class WrongDay(Refusal):
    """What an address names is no day that could be shown; data: why_zh, why."""

    code, status = "wrong_day", 422
    zh, en = "这个日期不行：{why_zh}", "That date does not do: {why}"


class NoFile(WrongDay):
    """The same where a file was asked for: there is no page to stand beside."""

    status = 400


def today() -> date:
    """Today in Shanghai."""
    return clock.now().astimezone(clock.SHANGHAI).date()


def day(text: str, otherwise: date) -> date:
    """The day that is written, `otherwise` where none is; `today` and `yesterday` are days. Raises WrongDay."""
    if not text:
        return otherwise
    near = {"today": today(), "yesterday": today() - timedelta(days=1)}
    try:
        found = near[text] if text in near else date.fromisoformat(text)
    except ValueError as error:
        raise WrongDay(why_zh="写成 2026-05-20 这样", why="write the day like 2026-05-20") from error
    if found > today():
        raise WrongDay(why_zh=f"{found} 还没到", why=f"{found} has not come yet")
    if found < EARLIEST:
        raise WrongDay(why_zh=f"最早到 {EARLIEST}", why=f"{EARLIEST} at the earliest")
    return found


def span(first_text: str, last_text: str, days: int, most: int | None = None) -> tuple[date, date]:
    """First and last day: the last one is today, the first `days` before it, unless written. Raises WrongDay."""
    last = day(last_text, today())
    first = day(first_text, max(EARLIEST, last - timedelta(days=days)))
    if last < first:
        raise WrongDay(why_zh="结束不能早于开始", why="the last day is before the first")
    if most is not None and (last - first).days > most:
        raise WrongDay(why_zh=f"一次最多看 {most} 天", why=f"at most {most} days at once")
    return first, last


def month(text: str) -> date:
    """The first day of the month that is written like 2026-05, of this month where none is. Raises WrongDay."""
    if not text:
        return today().replace(day=1)
    try:
        found = date.fromisoformat(f"{text}-01") if len(text) == len("2026-05") else None
    except ValueError:
        found = None
    if found is None:
        raise WrongDay(why_zh="月份写成 2026-05 这样", why="write the month like 2026-05")
    if found > today():
        raise WrongDay(why_zh=f"{text} 还没到", why=f"{text} has not come yet")
    if found < EARLIEST:
        raise WrongDay(why_zh=f"最早到 {EARLIEST:%Y-%m}", why=f"{EARLIEST:%Y-%m} at the earliest")
    return found


def moment(text: str) -> datetime:
    """The moment that is written like 2026-05-20T18:00, in Shanghai unless it says otherwise. Raises WrongDay."""
    if not text:
        return clock.now()
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=clock.SHANGHAI)
        late, early = found > clock.now(), found.astimezone(clock.SHANGHAI).date() < EARLIEST
    except (ValueError, OverflowError) as error:
        raise WrongDay(why_zh="时间写成 2026-05-20T18:00 这样", why="write the time like 2026-05-20T18:00") from error
    if late:
        raise WrongDay(why_zh="这个时间还没到", why="that moment has not come yet")
    if early:
        raise WrongDay(why_zh=f"最早到 {EARLIEST}", why=f"{EARLIEST} at the earliest")
    return found


@contextmanager
def of_file() -> Iterator[None]:
    """Where a file is asked for, a day that cannot be read is a request that cannot be."""
    try:
        yield
    except WrongDay as wrong:
        raise NoFile(**wrong.data) from wrong
