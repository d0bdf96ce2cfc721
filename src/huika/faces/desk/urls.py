"""URLs of the desk face."""

from django.urls import include, path

urlpatterns = [
    path("desk/", include("huika.faces.desk.orders.urls")),
    path("desk/", include("huika.faces.desk.money.urls")),
    path("desk/", include("huika.faces.desk.firms.urls")),
    path("desk/", include("huika.faces.desk.owner.urls")),
    path("desk/", include("huika.faces.desk.people.urls")),
    path("staff/", include("huika.faces.desk.staff.urls")),
]
