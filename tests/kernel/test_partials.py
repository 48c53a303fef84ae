"""The fragments every page is put together from."""

import re

import django_tables2 as tables
import pytest
from django import forms
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.test import RequestFactory

from unionwork.fields import FigureField, VietnameseDateField


class Sample(forms.Form):
    title = forms.CharField(label="Tên", help_text="Viết ngắn gọn")
    day = VietnameseDateField(label="Ngày", required=False)
    trees = FigureField(label="Số cây", unit="cây")
    level = forms.ChoiceField(label="Cấp", choices=[("p", "Tỉnh"), ("d", "Khối")], widget=forms.RadioSelect)
    kind = forms.ChoiceField(label="Loại", choices=[("a", "Trồng cây")])
    agreed = forms.BooleanField(label="Đã xem", required=False)
    key = forms.CharField(widget=forms.HiddenInput)


class Rows(tables.Table):
    name = tables.Column(verbose_name="Tên")
    trees = tables.Column(verbose_name="Số cây")
    note = tables.Column(verbose_name="Ghi chú", orderable=False)


def page(template, query="", **context):
    return render_to_string(template, context, request=RequestFactory().get(f"/{query}"))


def tag(html, element, **attributes):
    """Attributes of the first such tag that carries `attributes`."""
    for found in re.findall(rf"<{element}\b([^>]*)>", html):
        got = dict(re.findall(r'([\w-]+)="([^"]*)"', found))
        if attributes.items() <= got.items():
            return got
    raise AssertionError(f"no <{element} {attributes}>")


def test_every_control_has_its_label_and_its_class():
    html = str(Sample())
    for name, style in [("title", "form-control"), ("day", "form-control"), ("agreed", "form-check-input")]:
        assert tag(html, "label", **{"for": f"id_{name}"})
        assert tag(html, "input", name=name)["class"] == style
    assert tag(html, "select", name="kind")["class"] == "form-select"
    assert "class" not in tag(html, "input", name="level")
    assert "class" not in tag(html, "input", name="key")
    assert "<legend>Cấp</legend>" in html


def test_the_fragment_and_the_form_itself_print_the_same():
    form = Sample()
    assert render_to_string("partials/_form.html", {"form": form}).strip() == str(form)


def test_a_class_of_the_widget_stays():
    class Wide(forms.Form):
        text = forms.CharField(widget=forms.TextInput(attrs={"class": "wide"}))

    assert tag(str(Wide()), "input")["class"] == "wide form-control"


def test_only_what_may_stay_empty_is_marked():
    html = str(Sample())
    assert re.findall(r'">(\w+) <span class="optional">\(không bắt buộc\)', html) == ["Ngày"]
    quiet = render_to_string("partials/_field.html", {"field": Sample()["day"], "quiet": 1})
    assert "không bắt buộc" not in quiet


def test_the_unit_of_a_figure_stands_beside_it():
    assert '<span class="input-group-text">cây</span>' in str(Sample()["trees"].as_field_group())


def test_a_refused_field_says_so_to_eye_and_ear():
    form = Sample({"trees": "nhiều <b>"})
    html = str(form)
    box = tag(html, "input", name="trees")
    assert (box["aria-invalid"], box["aria-describedby"], box["value"]) == ("true", "id_trees_error", "nhiều &lt;b&gt;")
    assert tag(html, "ul", id="id_trees_error")["class"] == "field-error"
    assert tag(html, "input", name="title")["aria-describedby"] == "id_title_helptext id_title_error"
    assert tag(html, "fieldset")["aria-describedby"] == "id_level_error"


def test_the_summary_leads_to_each_field_in_the_same_words():
    form = Sample({"key": "k"})
    form.add_error(None, "Năm này đã khoá.")
    summary = page("partials/_error_summary.html", form=form)
    assert re.findall(r'href="#(\w+)"', summary) == ["id_title", "id_trees", "id_level_0", "id_kind"]
    assert "<li>Năm này đã khoá.</li>" in summary
    targets = set(re.findall(r'id="(\w+)"', str(form)))
    assert set(re.findall(r'href="#(\w+)"', summary)) <= targets
    for message in form.errors["trees"]:
        assert f"Số cây: {message}</a>" in summary


def test_no_summary_without_errors():
    assert "error-summary" not in page("partials/_error_summary.html", form=Sample())


def test_a_summary_of_other_errors():
    html = page(
        "partials/_error_summary.html", errors=[{"id": "dong-7", "message": "Dòng 7 <i>"}, {"message": "Trống"}]
    )
    assert '<li><a href="#dong-7">Dòng 7 &lt;i&gt;</a></li>' in html
    assert "<li>Trống</li>" in html


def rendered_table(query="", rows=60, **options):
    table = Rows([{"name": f"Đơn vị {n}", "trees": n, "note": "<b>"} for n in range(rows)], **options)
    request = RequestFactory().get(f"/{query}")
    tables.RequestConfig(request, paginate={"per_page": 25}).configure(table)
    return table.as_html(request)


def test_a_table_names_each_cell_for_phones_and_escapes_it():
    html = rendered_table(rows=1)
    assert re.findall(r'<td data-label="([^"]*)"[^>]*>(.*?)</td>', html) == [
        ("Tên", "Đơn vị 0"), ("Số cây", "0"), ("Ghi chú", "&lt;b&gt;"),
    ]  # fmt: skip
    region = tag(html, "div", role="region")
    assert (region["tabindex"], region["aria-label"]) == ("0", "Bảng số liệu")


def test_sort_links_keep_the_filters_and_start_at_the_first_page():
    html = rendered_table("?nam=2024&q=c%C3%A2y&page=2&sort=-trees")
    heads = re.findall(r"<th\b([^>]*)>(?:<a href=\"([^\"]*)\">)?", html)
    assert [link.replace("&amp;", "&") for _, link in heads] == [
        "?nam=2024&q=c%C3%A2y&sort=name", "?nam=2024&q=c%C3%A2y&sort=trees", "",
    ]  # fmt: skip
    assert ["aria-sort" in attributes for attributes, _ in heads] == [False, True, False]
    assert 'aria-sort="descending"' in heads[1][0]


def test_pages_of_a_table_keep_filters_and_order():
    html = rendered_table("?nam=2024&sort=-trees&page=2").replace("&amp;", "&")
    assert tag(html, "a", rel="prev")["href"] == "?nam=2024&sort=-trees&page=1"
    assert tag(html, "a", rel="next")["href"] == "?nam=2024&sort=-trees&page=3"
    assert "<span>Trang 2/3 · 60 dòng</span>" in html


def test_two_tables_on_a_page_turn_separately():
    html = rendered_table("?page=9", prefix="b-")
    assert tag(html.replace("&amp;", "&"), "a", rel="next")["href"] == "?page=9&b-page=2"


def test_an_empty_table_says_why():
    html = rendered_table(rows=0, empty_text="Chưa có hoạt động nào.")
    assert '<div class="empty"><p>Chưa có hoạt động nào.</p></div>' in html
    assert "<table" not in html


def test_pagination_of_a_plain_list():
    pages = Paginator(range(12345), 10)
    html = page("partials/_pagination.html", "?nam=2024", page=pages.get_page(1))
    assert "Trang 1/1.235 · 12.345 dòng" in html
    assert re.findall(r'href="([^"]*)"', html) == ["?nam=2024&amp;page=2"]
    assert page("partials/_pagination.html", page=Paginator(range(3), 10).get_page(1)).strip() == ""


@pytest.mark.parametrize(
    ("state", "shape", "word"),
    [("vuot", "★", "Vượt"), ("dat", "✓", "Đạt"), ("chua_dat", "▲", "Chưa đạt"), ("chua_co_so", "○", "Chưa có số")],
)
def test_a_state_is_shape_and_word(state, shape, word):
    html = page("partials/_state.html", state=state).strip()
    assert html == f'<span class="state state-{state}"><span aria-hidden="true">{shape}</span> {word}</span>'


def test_a_status_is_no_link():
    html = page("partials/_status.html", status="pending", label="Chờ duyệt").strip()
    assert html == '<span class="tag tag-pending">Chờ duyệt</span>'


def test_the_bar_draws_numbers_a_browser_reads():
    bar = {"approved_width": 34.5, "pending_width": 12.25, "label": "Đạt 34,5%", "marker": 58}
    html = page("partials/_bar.html", bar=bar)
    rects = re.findall(r"<rect([^>]*)/>", html)
    assert [re.findall(r'(?<!\w)(?:x|width)="([^"]*)"', rect) for rect in rects] == [
        ["100%"], ["34.5%"], ["34.5%", "12.25%"],
    ]  # fmt: skip
    svg = tag(html, "svg", role="img")
    assert svg["aria-label"] == "Đạt 34,5%"
    assert html.count('x1="58%"') == 2
    assert 'x1="%"' not in page("partials/_bar.html", bar={"approved_width": 0, "pending_width": 0, "label": "x"})


def test_an_empty_list_offers_the_next_act():
    html = page("partials/_empty.html", text="Chưa có gì.", url="/hoat-dong/ghi/", action="Ghi hoạt động")
    assert tag(html, "a")["href"] == "/hoat-dong/ghi/"
    assert "<a" not in page("partials/_empty.html", text="Chưa có gì.")


def test_a_column_of_buttons_has_no_empty_heading():
    class Acts(tables.Table):
        name = tables.Column(verbose_name="Tên")
        acts = tables.Column(verbose_name="", orderable=False)

    html = Acts([{"name": "Một", "acts": "Duyệt"}]).as_html(RequestFactory().get("/"))
    assert html.count("<th ") == 1
    assert re.findall(r'<td data-label="([^"]*)"', html) == ["Tên", ""]
