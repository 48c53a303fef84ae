"""In-app help."""

from django.shortcuts import render

from unionwork.policy import ANY_USER, policy


@policy(ANY_USER, relation="none")
def help_page(request):
    return render(request, "reports/help.html")
