from django.urls import path

from units import account_views, journal_views, notice_views, personal_views, views

urlpatterns = [
    # Accounts: signing in and out, one's own password, settings and notices.
    path("dang-nhap/", account_views.sign_in, name="login"),
    path("dang-xuat/", account_views.sign_out, name="logout"),
    path("doi-mat-khau/", account_views.change_password, name="password_change"),
    path("tai-khoan/", personal_views.account, name="account"),
    path("tai-khoan/phim-tat/", personal_views.settings_keys, name="settings_keys"),
    path("thong-bao/", notice_views.notice_list, name="notice_list"),
    path("thong-bao/da-doc/", notice_views.notices_read, name="notices_read"),
    path("thong-bao/<int:pk>/xem/", notice_views.notice_open, name="notice_open"),
    # The journal, and the history of one object.
    path("nhat-ky/", journal_views.journal_list, name="journal_list"),
    path("nhat-ky.xlsx", journal_views.journal_file, {"kind": "xlsx"}, name="journal_xlsx"),
    path("nhat-ky.csv", journal_views.journal_file, {"kind": "csv"}, name="journal_csv"),
    path("nhat-ky/cua/<slug:slug>/<int:key>/", journal_views.history, name="history"),
    # The tree. Codes “them” and “tim” are reserved for it (units.organising.RESERVED).
    path("don-vi/", views.unit_tree, name="unit_tree"),
    path("don-vi/them/", views.unit_add, name="unit_add"),
    path("don-vi/tim/", views.unit_search, name="unit_search"),
    path("don-vi/<str:code>/doi-ten/", views.unit_rename, name="unit_rename"),
]
