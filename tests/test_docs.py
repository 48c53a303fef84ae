"""What the notes promise about the repository stays true."""

import re
import tomllib

import pytest
from django.conf import settings

PROJECT = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_direct_dependency_has_its_reason_and_no_other_has():
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["postgresql"], *extras["dev"]]
    direct = {re.match(r"[\w-]+", line).group() for line in wanted} - {"unionwork"}
    text = (settings.BASE_DIR / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][^|]*) \|", text, re.MULTILINE)
    explained = {name for row in rows for name in row.split(", ")} - {"package"}
    assert explained == direct


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_locked_files_carry_hashes_and_name_no_host(name):
    text = (settings.BASE_DIR / name).read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z][^\n]*\\$", text, re.MULTILINE)
    assert len(pins) > 20
    assert re.findall(r"^[a-z][^\n]*[^\\]$", text, re.MULTILINE) == []  # a pin without a hash
    assert re.findall(r"^--.*|://.*|/\S+/.*", text, re.MULTILINE) == []


def test_the_notes_that_the_readme_names_are_there():
    named = re.findall(r"docs/[\w-]+\.md", (settings.BASE_DIR / "README.md").read_text(encoding="utf-8"))
    assert len(named) >= 4
    assert [name for name in named if not (settings.BASE_DIR / name).exists()] == []
