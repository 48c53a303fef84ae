"""What an address or a form names beside its fields: whole numbers, keys, and where to go back to."""

import uuid

from django.utils.http import url_has_allowed_host_and_scheme

WAY_BACK = "tiep"  # the parameter that names the page one came from


def whole_number(text, *, digits=18):
    """The number that plain digits name; None for anything else, and for more digits than that."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def uuid_of(text):
    """The UUID that a text writes; None for anything else."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def numbered_pairs(texts):
    """{id: version} of texts such as "12:3"; what is not of that form is left out."""
    pairs = (map(whole_number, text.partition(":")[::2]) for text in texts)
    return {key: version for key, version in pairs if key is not None and version is not None}


def way_back(request):
    """Where the reader came from (`tiep`), only within this site; "" for nowhere."""
    return own_path(request.POST.get(WAY_BACK, request.GET.get(WAY_BACK, "")))


def own_path(address):
    """The address when it is a path on this site; else "". A word without / would be taken for the name of a view."""
    is_path = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_path else ""
