"""Photos on a phone: made small before they are sent, sent while one types, never in the way of the form."""

import io

import pytest
from PIL import Image, ImageDraw

from activities.models import Activity, Evidence, Status
from tests.browser.checks import check_page
from tests.browser.conftest import PHONE
from tests.factories import World


@pytest.fixture
def world(transactional_db):
    return World()


def photo(name="IMG_2026.jpg"):
    """8 megapixels as a phone takes them: lying on its side, with the place where it was taken."""
    image = Image.radial_gradient("L").resize((3264, 2448)).convert("RGB")
    noise = Image.effect_noise((816, 612), 40).resize(image.size).convert("RGB")
    image = Image.blend(image, noise, 0.3)
    ImageDraw.Draw(image).ellipse([300, 300, 1500, 1200], (200, 60, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (21.0, 2.0, 3.5), 3: "E", 4: (105.0, 50.0, 1.25)})
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=92, exif=exif)
    return {"name": name, "mimeType": "image/jpeg", "buffer": stream.getvalue()}


def open_form(page, world, login):
    login(page, world.cadre)
    page.goto(f"/hoat-dong/ghi/?loai={world.planting.code}")
    page.locator("[name=sl-thu-cay-xanh]").fill("35")


def stored(row):
    image = Image.open(io.BytesIO(row.file.read()))
    return image.size, dict(image.getexif()), row.size <= 250_000


def test_an_8_megapixel_photo_is_small_before_it_leaves_the_phone(phone, login, world):
    open_form(phone, world, login)
    sent = photo()
    assert len(sent["buffer"]) > 700_000
    with phone.expect_request("**/minh-chung/") as posted, phone.expect_response("**/minh-chung/"):
        phone.locator("#chup-anh").set_input_files(sent)
    assert 5_000 < int(posted.value.all_headers()["content-length"]) < 252_000
    phone.locator("[data-evidence-list] img").wait_for()
    assert phone.locator("#chup-anh").evaluate("input => input.files.length") == 0
    row = Evidence.objects.get()
    assert (stored(row), row.activity, row.name) == (((1200, 1600), {}, True), None, "IMG_2026.jpg")
    check_page(phone)

    phone.locator("#tep").set_input_files([{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"<svg/>"}])
    phone.get_by_text("Không nhận loại tệp này", exact=False).first.wait_for()
    phone.locator("li", has_text="a.jpg").get_by_role("button", name="Bỏ").click()
    phone.get_by_text("Đã bỏ tệp.").wait_for()
    phone.get_by_role("button", name="Lưu nháp").click()
    phone.wait_for_url("**/hoat-dong/*/")
    activity = Activity.objects.get()
    assert list(activity.evidence.all()) == [row]
    phone.locator(".evidence img").scroll_into_view_if_needed()
    phone.wait_for_function("document.querySelector('.evidence img').naturalWidth > 0")
    check_page(phone)


def test_a_photo_that_finds_no_network_is_tried_again_and_the_form_waits_for_it(phone, live_server, login, world):
    open_form(phone, world, login)
    tries, pressed = [], []

    def shaky(route):
        tries.append(route)
        if len(tries) > 1:
            route.continue_()
        elif pressed:
            route.abort()

    phone.route("**/minh-chung/", shaky)
    # As signing in again in another tab does: the form's token is no longer good.
    phone.context.add_cookies([{"name": "csrftoken", "value": "n" * 32, "url": live_server.url}])
    phone.locator("#chup-anh").set_input_files(photo())
    phone.get_by_role("button", name="Lưu nháp").click()  # at once: the photo is still on its way
    pressed.append(True)
    if tries:
        tries[0].abort()
    phone.wait_for_url("**/hoat-dong/*/")
    phone.heard = [text for text in phone.heard if "/minh-chung/" not in text]  # the failures that were wanted
    assert len(tries) == 3
    assert [row.uploader for row in Activity.objects.get().evidence.all()] == [world.cadre]


def test_without_javascript_the_photo_rides_along(new_page, live_server, login, world):
    page = new_page(base_url=live_server.url, java_script_enabled=False, **PHONE)
    open_form(page, world, login)
    page.locator("#chup-anh").set_input_files(photo())
    page.get_by_role("button", name="Gửi duyệt").click()
    activity = Activity.objects.get()
    assert activity.status == Status.PENDING
    assert stored(activity.evidence.get()) == ((1200, 1600), {}, True)
