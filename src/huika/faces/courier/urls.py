"""URLs of the courier's face, below /courier/."""

from django.urls import path

from huika.faces.courier import views

urlpatterns = [
    path("", views.today),
    path("worker.js", views.worker),
    path("visits/<uuid:visit_id>", views.visit),
    path("visits/<uuid:visit_id>.json", views.visit_json),
]
