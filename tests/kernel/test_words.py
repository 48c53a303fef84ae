"""Nothing a form, a validator or a list may say reaches people in English."""

import ast
import gettext
import inspect
import re
from pathlib import Path

import django_filters.fields
import pytest
from django import forms
from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import password_validation
from django.core import paginator, validators
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import formsets
from django.forms import models as form_models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django_filters.conf import DEFAULTS

from unionwork import fields as own_fields
from units.models import User

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "vi" / "LC_MESSAGES" / "django.po"
ENGLISH = re.compile(
    r"\b(the|this|that|is|are|and|or|not|must|enter|ensure|select|valid|value|field|please|with|your|password|next|"
    r"previous|submit|page|form|contains|character|characters|choice)\b",
    re.IGNORECASE,
)


def english(text):
    """The English words of a message, its %(placeholders)s and {placeholders} left out."""
    return ENGLISH.findall(re.sub(r"%\(\w+\)\w|\{\w+\}", "", str(text)))


def classes(module, base):
    return [one for _, one in inspect.getmembers(module, inspect.isclass) if issubclass(one, base)]


def messages_of_fields():
    kinds = [
        *classes(forms, forms.Field),
        *classes(form_models, forms.Field),
        *classes(auth_forms, forms.Field),
        *classes(django_filters.fields, forms.Field),
        *classes(own_fields, forms.Field),
        *classes(models, models.Field),
    ]
    for kind in {base for one in kinds for base in one.__mro__}:
        for code, text in getattr(kind, "default_error_messages", {}).items():
            yield f"{kind.__name__}.{code}", text


def messages_of_forms():
    for kind in [*classes(auth_forms, forms.BaseForm), formsets.BaseFormSet]:
        for source in ("error_messages", "default_error_messages"):
            for code, text in getattr(kind, source, {}).items():
                yield f"{kind.__name__}.{code}", text
    yield from ((f"paginator.{code}", text) for code, text in paginator.Paginator.default_error_messages.items())


def messages_of_validators():
    for name, one in inspect.getmembers(validators):
        message = getattr(one, "message", None)
        if isinstance(message, str | Promise):
            yield name, message


EVERY_MESSAGE = sorted(
    {
        (name, str(text))
        for source in (messages_of_fields, messages_of_forms, messages_of_validators)
        for name, text in source()
        if text
    }
)


def test_the_net_is_wide():
    names = {name for name, _ in EVERY_MESSAGE}
    assert {
        "Field.required",
        "ChoiceField.invalid_choice",
        "ModelChoiceField.invalid_choice",
        "FileField.empty",
    } < names
    assert len(EVERY_MESSAGE) > 90


@pytest.mark.parametrize(("name", "text"), EVERY_MESSAGE)
def test_no_message_is_in_english(name, text):
    assert english(text) == []


def test_the_stop_words_catch_english():
    assert english("This field is required.") == ["This", "field", "is"]
    assert english("Ensure this value is at most %(limit_value)s.") == ["Ensure", "this", "value", "is"]


@pytest.mark.parametrize("password", ["ngan", "password1234", "123456789012", "nguyenvanminhhoa"])
def test_password_rules_speak_vietnamese(password):
    user = User(username="nguyenvanminhhoa", full_name="Nguyễn Văn Minh Họa")
    with pytest.raises(ValidationError) as refused:
        password_validation.validate_password(password, user)
    assert [english(message) for message in refused.value.messages] == [[]] * len(refused.value.messages)
    assert [english(text) for text in password_validation.password_validators_help_texts()] == [[]] * 4


def test_words_between_the_fields_of_filters():
    texts = [str(text) for text in DEFAULTS["VERBOSE_LOOKUPS"].values() if isinstance(text, Promise)]
    assert len(texts) > 15
    left = {"is contained by", "overlaps", "has key", "has keys", "has any keys", "search"}  # no such lookup is ours
    assert [text for text in texts if english(text) and text not in left] == []


@pytest.mark.parametrize(
    "text", ["previous", "next", "Submit", "All", "Unknown", "Yes", "No", "Ordering", "%s (descending)"]
)
def test_words_of_lists(text):
    assert _(text) != text


def entries(path):
    """(msgid, msgstr) of a .po file, read without gettext."""
    found, current, texts = [], None, {}
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        keyword = re.match(r'(msgid_plural|msgid|msgstr(?:\[0\])?) (".*")$', line)
        if keyword:
            current = keyword[1].removesuffix("[0]")
            texts[current] = ast.literal_eval(keyword[2])
        elif line.startswith('"'):
            texts[current] += ast.literal_eval(line)
        elif not line and texts:
            found.append((texts["msgid"], texts["msgstr"]))
            texts = {}
    return found


def test_the_compiled_catalogue_says_what_the_source_says():
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    said = {key[0] if isinstance(key, tuple) else key: text for key, text in compiled.items()}
    assert said == dict(entries(CATALOGUE))


def test_translations_keep_their_placeholders():
    placeholder = re.compile(r"%\(\w+\)[sdr]|%[sd]|\{\w+\}")
    for original, translated in entries(CATALOGUE):
        if original:
            assert sorted(set(placeholder.findall(translated))) == sorted(set(placeholder.findall(original))), original


def test_no_translation_is_missing_or_given_twice():
    originals = [original for original, _ in entries(CATALOGUE)]
    assert len(originals) == len(set(originals))
    assert [original for original, translated in entries(CATALOGUE) if not translated] == []
