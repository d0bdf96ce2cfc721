"""What risk learns from the stream."""

from huika.domain.risk import models
from huika.kit.events import Placed
from huika.kit.followers import reactor


@reactor("risk.trades", "trade.order.cancelled", "trade.order.declined_free")
def ended_without_a_sale(event: Placed) -> None:
    """An order that sold nothing no longer counts towards its seller's day."""
    models.Trade.objects.filter(order_id=event.subject).update(void=True)
