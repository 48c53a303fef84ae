"""What of many could not be done, and why: kept from the press to the page that says so."""

REFUSED = "chua-xong"  # in the address, and in the session


def keep_refused(request, refused):
    """What the address of that page says. `refused`: [(id, why)]."""
    if not refused:
        return {}
    request.session[REFUSED] = [[pk, why] for pk, why in refused]
    return {REFUSED: 1}


def refused_before(request, params):
    """[[id, why]] where the address (`params`) asks for it."""
    return request.session.get(REFUSED, []) if REFUSED in params else []
