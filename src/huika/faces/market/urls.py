"""URLs of the market face."""

from django.urls import path

from huika.faces.market import about, compare, kinds, proof, standard

urlpatterns = [
    path("compare", compare.compare),
    path("compare.csv", compare.samples_csv),
    path("kinds", kinds.listed),
    path("kinds.csv", kinds.listed_csv),
    path("kinds/<slug:slug>", kinds.one),
    path("standard", standard.standard),
    path("proof", proof.proof),
    path("proof/verify.html", proof.verifier_file),
    path("about", about.about),
]
