"""URLs of this part of the desk."""

from django.urls import path

from huika.faces.desk.money import books, closes, floats, overview, pay, payouts, profit, reconciliation

urlpatterns = [
    path("", overview.overview),
    path("/stop", overview.stop),
    path("/resume", overview.resume),
    path("/payouts", payouts.payouts),
    path("/payouts.csv", payouts.payouts_csv),
    path("/payouts/<uuid:payout>", payouts.payout),
    path("/ledger", books.trial),
    path("/ledger.csv", books.trial_csv),
    path("/statements/<uuid:party>", books.statement),
    path("/statements/<uuid:party>.csv", books.statement_csv),
    path("/statements/<uuid:party>.pdf", books.statement_pdf),
    path("/reconciliation", reconciliation.reconciliation),
    path("/reconciliation.csv", reconciliation.differences_csv),
    path("/floats", floats.floats),
    path("/floats/<uuid:party>", floats.purse),
    path("/floats/<uuid:party>.csv", floats.purse_csv),
    path("/pay", pay.pay),
    path("/pay.csv", pay.pay_csv),
    path("/pay/<uuid:party>", pay.slip),
    path("/pay/<uuid:party>.csv", pay.slip_csv),
    path("/pay/<uuid:party>.pdf", pay.slip_pdf),
    path("/days", closes.closes),
    path("/days.csv", closes.closes_csv),
    path("/profit", profit.profit),
    path("/profit.csv", profit.profit_csv),
]
