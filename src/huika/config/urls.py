"""Every URL of the platform."""

from django.urls import include, path

urlpatterns = [
    path("", include("huika.faces.seller.urls")),
    path("", include("huika.faces.market.urls")),
    path("courier/", include("huika.faces.courier.urls")),
    path("", include("huika.faces.desk.urls")),
    path("", include("huika.faces.pages.kept")),
    path("", include("huika.faces.api.urls")),
]
