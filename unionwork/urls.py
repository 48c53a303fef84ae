from django.urls import include, path

# `reports` last: its /don-vi/<code>/ must not swallow the units' own literal addresses.
urlpatterns = [
    path("", include("units.urls")),
    path("", include("targets.urls")),
    path("", include("activities.urls")),
    path("", include("reports.urls")),
]
handler400 = "unionwork.errors.bad_request"
handler403 = "unionwork.errors.forbidden"
handler404 = "unionwork.errors.not_found"
handler500 = "unionwork.errors.server_error"
