from django.urls import path

from reports import (
    check_views,
    digest_views,
    giving_table_views,
    grid_views,
    help_views,
    target_writing_views,
    unit_views,
    views,
    whole_tree_views,
    year_views,
)

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("viec-hom-nay/", digest_views.digest, name="digest"),
    path("tien-do/", views.progress, name="progress"),
    path("tong-ket/", year_views.year_report, name="year_report"),
    path("tong-ket.xlsx", year_views.year_report_xlsx, name="year_report_xlsx"),
    path("chi-tieu/y/<int:pk>/giao/", grid_views.measure_assign, name="measure_assign"),
    path("chi-tieu/y/<int:pk>/ca-cay/", whole_tree_views.measure_tree, name="measure_tree"),
    path("chi-tieu/kiem-tra/", check_views.target_checks, name="target_checks"),
    path("chi-tieu/bang-giao.xlsx", giving_table_views.giving_table_xlsx, name="giving_table_xlsx"),
    path("chi-tieu/bang-giao/nhap/", giving_table_views.giving_table_import, name="giving_table_import"),
    path("chi-tieu/xem-truoc/", target_writing_views.target_preview, name="target_preview"),
    path("chi-tieu/chep/", target_writing_views.target_copy, name="target_copy"),
    path("tro-giup/", help_views.help_page, name="help"),
    path("don-vi/<str:code>/", unit_views.unit_detail, name="unit_detail"),
]
