from django.urls import path

from units import account_views, views

# Accounts: signing in and out, one's own password.
urlpatterns = [
    path("dang-nhap/", account_views.sign_in, name="login"),
    path("dang-xuat/", account_views.sign_out, name="logout"),
    path("doi-mat-khau/", account_views.change_password, name="password_change"),
    # The tree. Codes “them” and “tim” are reserved for it (units.organising.RESERVED).
    path("don-vi/", views.unit_tree, name="unit_tree"),
    path("don-vi/them/", views.unit_add, name="unit_add"),
    path("don-vi/tim/", views.unit_search, name="unit_search"),
    path("don-vi/<str:code>/doi-ten/", views.unit_rename, name="unit_rename"),
]
