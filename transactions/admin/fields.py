"""Fields of the staff's forms that are typed: short text, and amounts."""

from unfold.widgets import UnfoldAdminTextInputWidget

from audit.adminparts import PlainText


def typed(label: str, help_text: str, *, most: int = 60, is_required: bool = True) -> PlainText:
    """Return a field for a line of text that the browser neither remembers nor corrects."""
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"})
    return PlainText(
        label=label, max_length=most, required=is_required, widget=widget, help_text=help_text
    )


def typed_amount(help_text: str, *, label: str = "Amount", is_required: bool = True) -> PlainText:
    """Return a field for an amount, spelled as `amounts.read_money` reads it."""
    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return PlainText(
        label=label, max_length=30, required=is_required, widget=widget, help_text=help_text
    )
