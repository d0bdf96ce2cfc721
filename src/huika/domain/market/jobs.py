"""Looking for alerts that a new book reaches; ending pools whose time is over."""

from uuid import UUID

from huika.domain.market import actions, queries
from huika.kit import clock
from huika.kit.jobs import job


@job("market.check_alerts")
def check_alerts(book: str) -> None:
    """Tell whoever waits for a price that this book has brought."""
    for alert, net_fen in queries.alerts_reached(UUID(book)):
        actions.alert_reached(alert, net_fen)


@job("market.end_pools", every_seconds=600)
def end_pools() -> None:
    """Every ten minutes: pools that nobody filled, and those that can no longer be booked."""
    actions.end_pools(clock.now())


@job("market.reprice", every_seconds=3600)
def reprice() -> None:
    """Every hour: what the pricing tool suggests to those who have switched it on, each in a change of its own."""
    for recycler in queries.repricing_on():
        actions.reprice(recycler)
