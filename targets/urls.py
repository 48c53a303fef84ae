from django.urls import path

from targets import assignment_views, catalogue_views, giving_views, intake_views, period_views, views, workbook_views

urlpatterns = [
    path("chi-tieu/", views.target_list, name="target_list"),
    path("chi-tieu/them/", views.target_add, name="target_add"),
    path("chi-tieu/<int:pk>/", views.target_detail, name="target_detail"),
    path("chi-tieu/<int:pk>/sua/", views.target_edit, name="target_edit"),
    path("chi-tieu/<int:pk>/xoa/", views.target_delete, name="target_delete"),
    path("chi-tieu/tiep-nhan/", intake_views.intake_page, name="intake"),
    path("chi-tieu/tiep-nhan/tra-loi/", intake_views.intake_answer, name="intake_answer"),
    path("chi-tieu/excel/", workbook_views.target_import, name="target_import"),
    path("chi-tieu/excel/tai/", workbook_views.target_export, name="target_export"),
    path("chi-tieu/y/<int:pk>/dang-ky/", assignment_views.measure_register, name="measure_register"),
    path("chi-tieu/y/<int:pk>/bo-nhap/", giving_views.draft_discard, name="draft_discard"),
    path("chi-tieu/ban-hanh/", giving_views.issue, name="issue"),
    path("chi-tieu/quyet-dinh/<int:pk>/", giving_views.decision_detail, name="decision_detail"),
    path("chi-tieu/quyet-dinh/<int:pk>/tep/", giving_views.decision_file, name="decision_file"),
    path("chi-so/", catalogue_views.indicator_list, name="indicator_list"),
    path("chi-so/them/", catalogue_views.indicator_add, name="indicator_add"),
    path("chi-so/<int:pk>/sua/", catalogue_views.indicator_edit, name="indicator_edit"),
    path("nam-cong-tac/", catalogue_views.year_list, name="year_list"),
    path("nam-cong-tac/mo/", catalogue_views.year_open, name="year_open"),
    path("nam-cong-tac/<int:year>/cach-sua/", catalogue_views.year_editing, name="year_editing"),
    path("ky-bao-cao/", period_views.period_settings, name="period_settings"),
    path("ky-bao-cao/<int:pk>/sua/", period_views.period_edit, name="period_edit"),
    path("ky-bao-cao/dot/them/", period_views.campaign_add, name="campaign_add"),
    path("ky-bao-cao/dot/<int:pk>/sua/", period_views.campaign_edit, name="campaign_edit"),
    path("ky-bao-cao/dot/<int:pk>/xoa/", period_views.campaign_remove, name="campaign_remove"),
]
