"""How pages print numbers, money and dates: {% load vietnam %}."""

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html

from unionwork.dates import format_date
from unionwork.numbers import format_money, format_money_short, format_number, format_percent

register = template.Library()


@register.filter
def so(value, decimals=0):
    """A number in smallest units: {{ total|so:indicator.decimals }}."""
    return format_number(value, decimals)


@register.filter
def phan_tram(hundredths):
    return format_percent(hundredths)


@register.filter
def tien(dong):
    """Short money with the full amount as its title. For element content, never inside an attribute."""
    short, full = format_money_short(dong), format_money(dong)
    return short if short == full else format_html('<span title="{}">{}</span>', full, short)


@register.filter(expects_localtime=True)
def ngay(value):
    return format_date(value)


@register.filter(expects_localtime=True)
def ngay_gio(value):
    """09:30 31/07/2024, in local time; "" for None."""
    return date_format(value, "DATETIME_FORMAT") if value else ""
