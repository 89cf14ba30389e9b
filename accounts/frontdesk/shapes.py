"""Shapes of answers, for the OpenAPI document only: nothing is rendered with them."""

from typing import Any

from rest_framework import serializers


def page_shape(
    row: type[serializers.Serializer[Any]], *, has_next_always: bool = False
) -> type[serializers.Serializer[Any]]:
    """Return the shape of a cursor page of `row`s."""
    name = row.__name__.removesuffix("Shape")
    fields = {
        "__doc__": f"One page of {name.lower()}s; `next_cursor` leads to the next.",
        "data": row(many=True),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=not has_next_always),
    }
    return type(f"{name}PageShape", (serializers.Serializer,), fields)
