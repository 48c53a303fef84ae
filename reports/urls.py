from django.urls import path

from reports import help_views, unit_views, views, year_views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("tien-do/", views.progress, name="progress"),
    path("tong-ket/", year_views.year_report, name="year_report"),
    path("tong-ket.xlsx", year_views.year_report_xlsx, name="year_report_xlsx"),
    path("tro-giup/", help_views.help_page, name="help"),
    path("don-vi/<str:code>/", unit_views.unit_detail, name="unit_detail"),
]
