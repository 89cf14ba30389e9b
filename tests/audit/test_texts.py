"""Text that reads as another text than it is: refused; languages that run right to left: not."""

from importlib import import_module
from pkgutil import iter_modules

import pytest
from django import forms

from audit.adminparts import PlainText
from audit.texts import misleads
from transactions import admin

MISLEADING = [
    "invoice \u202e00.052,1 RUE",
    "\u2066wages\u2069",
    "Acme\u200f",
    "\u200eAcme",
    "1\u061c2",
    "line\n\u202dline",
    "\u05e9\u05dc\u05d5\u05dd \u202e1",
]
PLAIN = [
    "",
    "Müller & Søn",
    "two\nlines",
    "\u0634\u0631\u0643\u0629 \u0627\u0644\u0628\u062d\u0631\u064a\u0646 2026",
    "\u05e9\u05db\u05e8 \u05dc\u05d0\u05e4\u05e8\u05d9\u05dc",
    "\u05e9\u05db\u05e8\u200f (4)",
    "\u200e2026/04\u200e \u0641\u0627\u062a\u0648\u0631\u0629",
    "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
]


@pytest.mark.parametrize("text", MISLEADING)
def test_what_turns_the_reading_order_around_misleads(text: str) -> None:
    assert misleads(text)


@pytest.mark.parametrize("text", PLAIN)
def test_text_in_any_language_is_plain(text: str) -> None:
    assert not misleads(text)


def test_every_text_field_of_the_staffs_forms_is_plain() -> None:
    pages = [
        import_module(found.name) for found in iter_modules(admin.__path__, f"{admin.__name__}.")
    ]
    found = {
        f"{form.__name__}.{name}": type(field)
        for page in pages
        for form in vars(page).values()
        if isinstance(form, type) and issubclass(form, forms.Form)
        for name, field in form.base_fields.items()
        if type(field) in {forms.CharField, PlainText}
    }
    assert {"PayoutForm.reference", "HeadForm.reason", "FreezeForm.legal_reference"} <= set(found)
    assert set(found.values()) == {PlainText}


@pytest.mark.parametrize("text", MISLEADING)
def test_a_text_field_says_what_is_wrong(text: str) -> None:
    with pytest.raises(forms.ValidationError, match="order in which it is read"):
        PlainText().clean(text)
