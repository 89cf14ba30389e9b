"""`{% timeline row %}`: what happened to a row that the page shows already."""

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("admin/timeline.html", takes_context=True)
def timeline(context: dict[str, Any], row: Any) -> dict[str, Any]:
    """Render the row's timeline for whoever looks at the page."""
    # Every process that has templates loads this library; only the staff's has what they need.
    from accounts.frontdesk.staff import officer  # noqa: PLC0415
    from config.history import told  # noqa: PLC0415

    return {"steps": told(row, to=officer(context["request"]))}
