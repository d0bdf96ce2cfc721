"""Addresses of the owner's pages."""

from django.urls import path

from huika.faces.desk.owner import costs, month, tables

urlpatterns = [
    path("owner", month.month),
    path("owner/profit.csv", tables.profit_csv),
    path("owner/expected.csv", tables.expected_csv),
    path("owner/losses.csv", tables.losses_csv),
    path("owner/demand.csv", tables.demand_csv),
    path("owner/won.csv", tables.won_csv),
    path("owner/recyclers.csv", tables.recyclers_csv),
    path("owner/visits", costs.visits),
    path("owner/visits.csv", costs.costs_csv),
    path("owner/visits/refused.csv", costs.refused_csv),
    path("owner/visits/cost", costs.cost),
    path("owner/visits/allow", costs.allow),
]
