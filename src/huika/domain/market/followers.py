"""What the market does when books are published; what its events about alerts and pools say."""

from datetime import datetime

from huika.kit import clock, jobs
from huika.kit.events import WORDS, Placed
from huika.kit.followers import reactor

WORDS.update(
    {
        "market.alert.set": ("到价提醒：{kind} 到 {net_fen}", "Price alert: {kind} at {net_fen}"),
        "market.alert.reached": ("到价了：{kind} {net_fen}", "Price reached: {kind} {net_fen}"),
        "market.alert.ended": ("到价提醒取消：{kind}", "Price alert taken back: {kind}"),
        "market.pool.joined": ("有人来拼上门：{district}", "A neighbour joined in {district}"),
        "market.pool.left": ("有人退出拼上门：{district}", "A neighbour left in {district}"),
        "market.pool.covered": ("{members} 家拼够一次上门", "{members} neighbours cover a visit"),
        "market.pool.ended": ("拼上门到期：{district}", "Shared visit ended in {district}"),
    }
)


@reactor("market.alerts", "market.book.published")
def book_published(event: Placed) -> None:
    """Once a book counts, whoever waits for one of its prices is looked for."""
    counts = datetime.fromisoformat(event.facts["effective_from"])
    wait = max(0.0, (counts - clock.now()).total_seconds())
    jobs.defer("market.check_alerts", in_seconds=wait, book=event.facts["book"])
