"""URLs of the courier's face, below /courier/."""

from django.urls import path

from huika.faces.courier import money, views

urlpatterns = [
    path("", views.today),
    path("money", money.page),
    path("money/slip.csv", money.slip_csv),
    path("money/slip.pdf", money.slip_pdf),
    path("worker.js", views.worker),
    path("visits/<uuid:visit_id>", views.visit),
    path("visits/<uuid:visit_id>.json", views.visit_json),
]
