"""URLs of the seller face."""

from django.urls import path

from huika.faces.seller import account, alerts, booking, debts, orders, paying, quote, short, sign_in, statement

urlpatterns = [
    path("", quote.first),
    path("sell/<slug:slug>", quote.sell),
    path("book", booking.slot),
    path("book/windows", booking.windows),
    path("book/share", short.share),
    path("book/<uuid:comparison_id>", booking.onward),
    path("book/<uuid:comparison_id>/short", short.page),
    path("book/<uuid:comparison_id>/pool", short.use),
    path("book/<uuid:comparison_id>/phone", booking.phone),
    path("book/<uuid:comparison_id>/you", booking.you),
    path("book/<uuid:comparison_id>/last", paying.last),
    path("phone", sign_in.phone),
    path("orders", orders.mine),
    path("orders/<str:code>", orders.one),
    path("orders/<str:code>/cancel", orders.cancel),
    path("orders/<str:code>/decline", orders.decline),
    path("orders/<str:code>/received", orders.received),
    path("orders/<str:code>/cards/<int:n>/price", orders.requote),
    path("orders/<str:code>/receipt", orders.receipt),
    path("orders/<str:code>/record", orders.record),
    path("orders/<str:code>/debt/<str:number>", debts.one),
    path("orders/<str:code>/debt/<str:number>/proof", debts.proof),
    path("me", account.me),
    path("me/payees", account.payees),
    path("me/alerts", alerts.page),
    path("me/alerts/end", alerts.end),
    path("me/pools/leave", alerts.leave),
    path("me/statement", statement.page),
    path("me/statement.csv", statement.as_csv),
    path("me/statement.pdf", statement.as_pdf),
    path("me/consents", account.withdraw),
    path("me/sign-out", account.sign_out),
]
