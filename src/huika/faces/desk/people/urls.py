"""Addresses of couriers, shifts and the telephone order."""

from django.urls import path

from huika.faces.desk.people import answers, call, couriers

urlpatterns = [
    path("couriers", couriers.listed),
    path("couriers.csv", couriers.as_table),
    path("couriers/new", couriers.new),
    path("couriers/<uuid:party>", couriers.shown),
    path("shifts", couriers.planned),
    path("call", call.call),
    path("call/booked/<uuid:order>", call.booked),
    path("call/stopped/<uuid:item>", call.stopped),
    path("call/caller", answers.caller),
    path("call/kinds", answers.kinds),
    path("call/places", answers.places),
    path("call/quote", answers.quote),
    path("call/windows", answers.windows),
    path("call/person", answers.person),
    path("call/<uuid:seller>/identity", answers.identity),
]
