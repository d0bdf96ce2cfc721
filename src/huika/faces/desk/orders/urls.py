"""URLs of this part of the desk."""

from django.urls import path

from huika.faces.desk.orders import detail, finding, lists, queue, today

urlpatterns = [
    path("", today.today),
    path("orders", lists.orders),
    path("orders.csv", lists.orders_csv),
    path("orders/<str:code>", detail.order),
    path("queue", queue.queue),
    path("queue.csv", queue.queue_csv),
    path("queue/<uuid:item_id>", queue.item),
    path("queue/<uuid:item_id>/claim", queue.claim),
    path("queue/<uuid:item_id>/decide", queue.decide),
    path("search", finding.search),
]
