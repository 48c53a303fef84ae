"""Nothing typed on a phone is lost: one record and nothing typed again, whatever breaks in between."""

import re
import uuid

import pytest
from django.conf import settings
from playwright.sync_api import expect

from activities.models import Activity, FormDraft, Status
from tests.browser.checks import check_page, listen
from tests.browser.conftest import PHONE, keep_pictures, new_context
from tests.factories import World

FORM = "/hoat-dong/ghi/"
TITLE = "Trồng cây đầu xuân"


@pytest.fixture
def world(transactional_db):
    return World()


@pytest.fixture
def device(browser, live_server, login, world, request):
    """A phone that lives on when its page is gone; `device.new_page()` opens the browser again."""
    context = new_context(browser, base_url=live_server.url, **PHONE)
    page = listen(context.new_page())
    login(page, world.cadre)
    yield context
    keep_pictures(request.node, context.pages)
    context.close()


def fill(page, title=TITLE, trees="35"):
    page.goto(FORM)
    page.get_by_text(re.compile("^Loại khác")).click()
    page.get_by_text("Loại thu-trong-cay", exact=True).click()
    page.get_by_label("Chỉ số thu-cay-xanh").fill(trees)
    page.locator("[name=title]").fill(title)


def send(page):
    page.get_by_role("button", name="Gửi duyệt").click()


def looks_right(page):
    """As every page; that the network or the session was gone is what these tests are about."""
    gone = ("ERR_INTERNET_DISCONNECTED", "/hoat-dong/so-lieu/", "console: htmx:")
    page.heard[:] = [each for each in page.heard if not any(one in each for one in gone)]
    check_page(page)


def sent(page):
    """The one record there is, once its page is there."""
    page.wait_for_url(re.compile(r"/hoat-dong/\d+/$"))
    looks_right(page)
    activity = Activity.objects.get()
    assert page.url.endswith(f"/hoat-dong/{activity.pk}/")
    assert page.locator(".banner-success").inner_text().startswith(f"Đã gửi {activity.code}.")
    return activity, activity.status, activity.title, activity.figures.get(indicator__code="thu-cay-xanh").value


def expect_all(page):
    activity, *content = sent(page)
    assert content == [Status.PENDING, TITLE, 35]
    assert left_on_device(page) == []
    return activity


def left_on_device(page):
    return page.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('nhap:'))")


def expect_restored(page):
    page.get_by_text("Đã khôi phục nội dung đang nhập").wait_for()
    assert page.locator("[name=title]").input_value() == TITLE
    assert page.get_by_label("Chỉ số thu-cay-xanh").input_value() == "35"
    check_page(page)


def test_a_page_killed_while_typing_or_choosing_a_file_comes_back_by_itself(device, world):
    page = device.pages[0]
    fill(page)
    key = page.locator("[name=form_key]").input_value()
    page.get_by_text("Đã lưu trên máy lúc").wait_for()
    check_page(page)
    page.close(run_before_unload=False)

    page = listen(device.new_page())
    page.goto(FORM)
    expect_restored(page)
    assert page.locator("[name=form_key]").input_value() == key
    page.locator("[name=title]").fill("Tên gõ ngay trước khi chụp ảnh")
    page.evaluate("""() => {
        const input = document.createElement("input");
        input.type = "file"; input.id = "may-anh";
        document.getElementById("ghi-hoat-dong").append(input);
    }""")
    with page.expect_file_chooser():
        page.locator("#may-anh").click()
    page.close(run_before_unload=False)

    page = listen(device.new_page())
    page.goto(FORM)
    page.get_by_text("Đã khôi phục nội dung đang nhập").wait_for()
    assert page.locator("[name=title]").input_value() == "Tên gõ ngay trước khi chụp ảnh"
    page.locator("[name=title]").fill(TITLE)
    send(page)
    assert str(expect_all(page).form_key) == key
    page.goto(FORM)
    page.wait_for_load_state("networkidle")
    assert (page.locator("[name=title]").input_value(), page.get_by_text("Đã khôi phục").count()) == ("", 0)


def lose(device):
    """The session ends; the rest of the browser's memory stays."""
    device.clear_cookies(name=settings.SESSION_COOKIE_NAME)


def sign_in(page, username):
    page.get_by_label("Số điện thoại hoặc tên đăng nhập").fill(username)
    page.get_by_label("Mật khẩu", exact=True).fill("mat-khau-thu-nghiem")
    page.get_by_role("button", name="Đăng nhập").click()


def test_without_network_it_waits_and_goes_by_itself_when_the_network_is_back(device, world):
    page = device.pages[0]
    fill(page)
    device.set_offline(True)
    send(page)
    page.get_by_text("Chờ gửi (1)").wait_for()
    assert page.get_by_role("button", name="Gửi duyệt").is_enabled()
    assert (page.locator("[name=title]").input_value(), Activity.objects.count()) == (TITLE, 0)
    assert page.locator("[data-keeping-state]").inner_text().startswith("Đang chờ mạng. Đã lưu trên máy lúc ")
    expect(page.get_by_text("Chưa gửi được.")).to_be_in_viewport()
    looks_right(page)
    device.set_offline(False)
    expect_all(page)


def test_an_answer_that_is_lost_makes_no_second_record_even_if_the_page_is_killed(device, world):
    page = device.pages[0]
    fill(page)

    def answer_lost(route):
        route.fetch()
        route.abort("connectionreset")

    page.route(f"**{FORM}", lambda route: answer_lost(route) if route.request.method == "POST" else route.continue_())
    send(page)
    page.get_by_text("Chờ gửi (1)").wait_for()
    assert Activity.objects.get().status == Status.PENDING
    page.close(run_before_unload=False)

    page = listen(device.new_page())
    page.goto(FORM)
    page.get_by_text(f"Đã gửi: {TITLE}.").wait_for()
    check_page(page)
    page.get_by_role("link", name="Xem").click()
    page.wait_for_url(f"**/hoat-dong/{Activity.objects.get().pk}/")
    assert left_on_device(page) == []


def test_after_the_session_ended_signing_in_sends_what_was_typed(device, world):
    page = device.pages[0]
    fill(page)
    lose(device)
    send(page)
    page.get_by_text("Phiên đã hết hạn – nội dung vẫn được giữ trên máy này.").wait_for()
    looks_right(page)
    page.get_by_role("link", name="Đăng nhập lại và gửi").click()
    sign_in(page, "cadre")
    expect_all(page)


def test_a_double_tap_and_five_at_once_make_one_record(device, world):
    page = device.pages[0]
    fill(page)
    fields = page.evaluate(
        "() => [...new FormData(document.getElementById('ghi-hoat-dong'))].filter((one) => typeof one[1] === 'string')"
    )
    page.get_by_role("button", name="Gửi duyệt").dblclick()
    activity = expect_all(page)
    assert dict(fields)["form_key"] == str(activity.form_key)
    fields = dict(fields) | {"form_key": str(uuid.uuid4()), "title": "Năm lần", "luu": "nhap"}
    answers = page.evaluate(
        """async (fields) => {
            const headers = {"X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value, "X-Keep": "1"};
            const post = () => fetch("/hoat-dong/ghi/", {method: "POST", headers, body: new URLSearchParams(fields)});
            const all = await Promise.all([post(), post(), post(), post(), post()]);
            return all.map((one) => [one.status, one.headers.get("Location")]);
        }""",
        fields,
    )
    again = Activity.objects.get(title="Năm lần")
    assert answers == [[201, f"/hoat-dong/{again.pk}/"]] * 5


def test_a_shared_phone_shows_it_to_nobody_else_and_signing_out_clears_it(device, world, login):
    page = device.pages[0]
    fill(page)
    page.get_by_text("Đã lưu trên máy lúc").wait_for()
    mine = left_on_device(page)
    login(page, world.other_cadre)
    page.goto(FORM)
    page.wait_for_load_state("networkidle")
    assert TITLE not in page.locator("main").inner_text()
    assert page.locator("[name=title]").input_value() == ""
    assert left_on_device(page) == mine

    login(page, world.cadre)
    page.goto(FORM)
    expect_restored(page)
    page.locator(".bottom-bar summary").click()
    page.locator(".bottom-bar").get_by_role("button", name="Đăng xuất").click()
    sure = page.get_by_role("button", name="Đăng xuất và xoá 1 bản chưa gửi")
    sure.wait_for()
    assert sure.evaluate("(e) => e === document.activeElement")
    check_page(page)
    sure.click()
    page.wait_for_url("**/dang-nhap/")
    assert left_on_device(page) == []


def test_what_is_on_the_server_is_offered_beside_what_is_on_the_phone(device, world):
    page = device.pages[0]
    page.clock.install()
    fill(page)
    page.clock.run_for(500)
    page.clock.run_for(20_000)
    page.get_by_text("Đã lưu trên máy chủ lúc").wait_for()
    draft = FormDraft.objects.get()
    assert (draft.title, draft.data["sl-thu-cay-xanh"]) == (TITLE, ["35"])
    FormDraft.objects.update(title="x", version=2, data=draft.data | {"title": ["Gõ tiếp trên máy tính"]})
    page.locator("[name=title]").fill("Gõ tiếp trên điện thoại")
    page.clock.run_for(500)
    page.clock.run_for(20_000)
    page.get_by_role("button", name="Dùng bản trên máy này").wait_for()
    check_page(page)
    page.get_by_role("button", name="Dùng bản trên máy chủ").click()
    page.wait_for_url("**?ban-nhap=*")
    assert page.locator("[name=title]").input_value() == "Gõ tiếp trên máy tính"


def test_one_form_with_two_contents_shows_both_and_becomes_two_records_when_wanted(device, world):
    page = device.pages[0]
    fill(page)
    key = page.locator("[name=form_key]").input_value()
    page.get_by_role("button", name="Lưu nháp").click()
    page.wait_for_url(re.compile(r"/hoat-dong/\d+/$"))
    fill(page, title="Việc khác", trees="40")
    page.evaluate("(key) => { document.querySelector('[name=form_key]').value = key; }", key)
    page.get_by_role("button", name="Lưu nháp").click()
    page.get_by_role("heading", name="Biểu mẫu này đã gửi trước đó").wait_for()
    rows = page.locator("main tbody tr").all_inner_texts()
    assert rows[0].split()[-2:] == ["Việc", "khác"]
    check_page(page)
    page.get_by_role("button", name="Ghi thành hoạt động mới").click()
    page.wait_for_url(re.compile(r"/hoat-dong/\d+/$"))
    assert sorted(Activity.objects.values_list("title", flat=True)) == [TITLE, "Việc khác"]
    assert page.url.endswith(f"/{Activity.objects.get(title='Việc khác').pk}/")


def test_another_tab_gets_a_form_of_its_own_and_what_was_put_aside_can_be_taken_back(device, world):
    page = device.pages[0]
    fill(page)
    page.get_by_text("Đã lưu trên máy lúc").wait_for()
    other = listen(device.new_page())
    other.goto(FORM)
    other.wait_for_load_state("networkidle")
    assert (other.get_by_text("Đã khôi phục").count(), other.locator("[name=title]").input_value()) == (0, "")
    other.close()
    page.goto(FORM)
    expect_restored(page)
    page.get_by_role("button", name="Bỏ, ghi mới").click()
    page.get_by_text("Đã bỏ nội dung nhập dở lúc").wait_for()
    assert page.locator("[name=title]").input_value() == ""
    page.get_by_role("link", name="Lấy lại").click()
    expect_restored(page)
    # The device has no room left, and the token is older than the last signing in: it is sent all the same.
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    page.locator("[name=title]").fill("Gõ khi máy đã đầy")
    page.get_by_text("Không lưu được trên máy này.").wait_for()
    device.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    send(page)
    assert sent(page)[1:] == (Status.PENDING, "Gõ khi máy đã đầy", 35)
