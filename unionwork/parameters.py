"""What an address or a form names beside its fields: whole numbers, and where to go back to."""

from django.utils.http import url_has_allowed_host_and_scheme

WAY_BACK = "tiep"  # the parameter that names the page one came from


def whole_number(text, *, digits=18):
    """The number that plain digits name; None for anything else, and for more digits than that."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def numbered_pairs(texts):
    """{id: version} of texts such as "12:3"; what is not of that form is left out."""
    pairs = (map(whole_number, text.partition(":")[::2]) for text in texts)
    return {key: version for key, version in pairs if key is not None and version is not None}


def way_back(request):
    """Where the reader came from (`tiep`), only within this site; "" for nowhere."""
    address = request.POST.get(WAY_BACK, request.GET.get(WAY_BACK, ""))
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""
