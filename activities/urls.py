from django.urls import path

from activities import declaration_views, form_views, moving_views, review_views, views

urlpatterns = [
    path("hoat-dong/", views.activity_list, name="activity_list"),
    path("hoat-dong/ghi/", form_views.activity_create, name="activity_create"),
    path("hoat-dong/so-lieu/", form_views.activity_figures, name="activity_figures"),
    path("hoat-dong/<int:pk>/", views.activity_detail, name="activity_detail"),
    path("hoat-dong/<int:pk>/sua/", form_views.activity_edit, name="activity_edit"),
    path("hoat-dong/<int:pk>/gui/", review_views.activity_submit, name="activity_submit"),
    path("hoat-dong/<int:pk>/rut-lai/", review_views.activity_withdraw, name="activity_withdraw"),
    path("hoat-dong/<int:pk>/duyet/", review_views.activity_approve, name="activity_approve"),
    path("hoat-dong/<int:pk>/tra-lai/", review_views.activity_return, name="activity_return"),
    path("hoat-dong/<int:pk>/bo-duyet/", review_views.activity_unapprove, name="activity_unapprove"),
    path("hoat-dong/<int:pk>/huy/", review_views.activity_cancel, name="activity_cancel"),
    path("hoat-dong/<int:pk>/khoi-phuc/", review_views.activity_restore, name="activity_restore"),
    path("duyet/", review_views.review_queue, name="review_queue"),
    path("ke-khai/", declaration_views.declaration_list, name="declaration_list"),
    path("ke-khai/moi/", declaration_views.declaration_create, name="declaration_create"),
    path("moc/<int:measure>/", declaration_views.milestone_create, name="milestone_create"),
    path("don-vi/<str:code>/chuyen/", moving_views.unit_move, name="unit_move"),
]
