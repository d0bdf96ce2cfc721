"""What the market does when books are published."""

from datetime import datetime

from huika.kit import clock, jobs
from huika.kit.events import Placed
from huika.kit.followers import reactor


@reactor("market.alerts", "market.book.published")
def book_published(event: Placed) -> None:
    """Once a book counts, whoever waits for one of its prices is looked for."""
    counts = datetime.fromisoformat(event.facts["effective_from"])
    wait = max(0.0, (counts - clock.now()).total_seconds())
    jobs.defer("market.check_alerts", in_seconds=wait, book=event.facts["book"])
