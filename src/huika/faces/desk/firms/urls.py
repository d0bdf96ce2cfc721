"""Addresses of recyclers and their books."""

from django.urls import path

from huika.faces.desk.firms import books, repricing, reserves, terms, views

urlpatterns = [
    path("recyclers", views.listed),
    path("recyclers.csv", views.as_table),
    path("recyclers/<uuid:party>", views.shown),
    path("recyclers/<uuid:party>/book.csv", views.book_as_table),
    path("recyclers/<uuid:party>/book", books.sent),
    path("recyclers/<uuid:party>/book/publish", books.published),
    path("recyclers/<uuid:party>/reserve", reserves.reserve),
    path("recyclers/<uuid:party>/terms", terms.terms),
    path("recyclers/<uuid:party>/endpoint", terms.endpoint),
    path("recyclers/<uuid:party>/repricing", repricing.shown),
    path("recyclers/<uuid:party>/repricing/rules", repricing.rules),
    path("recyclers/<uuid:party>/repricing/stock", repricing.stock),
]
