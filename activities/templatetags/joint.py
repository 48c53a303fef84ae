"""How a joint activity is worded in a row of a list."""

from django import template

from activities.joint import hosting

register = template.Library()


@register.filter
def phoi_hop(hosts):
    """“phối hợp: 3 đơn vị, 1 chưa xác nhận”; "" without any."""
    return hosting.in_words(hosts)
