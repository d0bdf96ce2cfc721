"""URLs of this part of the desk."""

from django.urls import path

from huika.faces.desk.money import books, closes, floats, overview, pay, payouts, profit, reconciliation

urlpatterns = [
    path("money", overview.overview),
    path("money/stop", overview.stop),
    path("money/resume", overview.resume),
    path("money/own", overview.own),
    path("money/premium", overview.premium),
    path("money/payouts", payouts.payouts),
    path("money/payouts.csv", payouts.payouts_csv),
    path("money/payouts/<uuid:payout>", payouts.payout),
    path("money/ledger", books.trial),
    path("money/ledger.csv", books.trial_csv),
    path("money/statements/<uuid:party>", books.statement),
    path("money/statements/<uuid:party>.csv", books.statement_csv),
    path("money/statements/<uuid:party>.pdf", books.statement_pdf),
    path("money/reconciliation", reconciliation.reconciliation),
    path("money/reconciliation.csv", reconciliation.differences_csv),
    path("money/floats", floats.floats),
    path("money/floats/<uuid:party>", floats.purse),
    path("money/floats/<uuid:party>.csv", floats.purse_csv),
    path("money/pay", pay.pay),
    path("money/pay.csv", pay.pay_csv),
    path("money/pay/<uuid:party>", pay.slip),
    path("money/pay/<uuid:party>.csv", pay.slip_csv),
    path("money/pay/<uuid:party>.pdf", pay.slip_pdf),
    path("money/days", closes.closes),
    path("money/days.csv", closes.closes_csv),
    path("money/profit", profit.profit),
    path("money/profit.csv", profit.profit_csv),
]
