"""Forms that take what was sent or say where it is wrong: nothing is trimmed, cast or guessed."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, Final
from uuid import UUID

from rest_framework import serializers

from accounts.frontdesk.parsing import BODY, PROBLEMS_MAX, shown_name
from audit.errors import Invalid
from audit.texts import MISLEADS, misleads
from audit.typeids import parse_typeid

IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
METADATA_PAIRS_MAX: Final = 20


class Form(serializers.Serializer[Any]):
    """A JSON object with exactly these fields. Unknown ones are named and refused."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked fields."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be a JSON object")
        strange = {name: ["is not a field here"] for name in data if name not in self.fields}
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            detail = error.detail if isinstance(error.detail, dict) else {BODY: error.detail}
            raise serializers.ValidationError({**detail, **strange}) from error
        if strange:
            raise serializers.ValidationError(strange)
        return found


class ExactText(serializers.CharField):
    """Text of limited length that reads as it is kept, without control characters; no number."""

    def __init__(self, **options: Any) -> None:
        """Take what a CharField takes; nothing is trimmed."""
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the text as it was sent."""
        if not isinstance(data, str):
            raise serializers.ValidationError("must be text")
        if not data.isprintable() and any(unicodedata.category(char) == "Cc" for char in data):
            raise serializers.ValidationError("holds a control character")
        if misleads(data):
            raise serializers.ValidationError(MISLEADS)
        return data


class ExactInteger(serializers.IntegerField):
    """A JSON whole number: not `true`, not `"5"`, not `5.0`."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number as it was sent."""
        if type(data) is not int:
            raise serializers.ValidationError("must be a whole number")
        return data


class ExactBoolean(serializers.BooleanField):
    """A JSON `true` or `false`: not `1`, not `"yes"`."""

    def to_internal_value(self, data: Any) -> bool:
        """Return what was sent."""
        if type(data) is not bool:
            raise serializers.ValidationError("must be true or false")
        return data


class ExactInstant(serializers.DateTimeField):
    """An instant of RFC 3339, with its offset, e.g. `2026-01-31T12:00:00Z`."""

    def to_internal_value(self, value: Any) -> datetime:
        """Return the instant."""
        try:
            if isinstance(value, str) and INSTANT.fullmatch(value):
                return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise serializers.ValidationError("must be an instant such as 2026-01-31T12:00:00Z")


class ExactChoice(serializers.ChoiceField):
    """One of a few words, spelled exactly."""

    def to_internal_value(self, data: Any) -> str:
        """Return the word."""
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(self.refusal)
        return data

    @property
    def refusal(self) -> str:
        """Return what to say to any other word."""
        words = list(self.choices)
        return f"must be one of {', '.join(words)}" if len(words) < 10 else "is not one we know"  # noqa: PLR2004


class PublicId(serializers.Field[UUID, Any, str, Any]):
    """A TypeID of one kind of thing, e.g. `acc_…`; the key inside it comes out."""

    def __init__(self, prefix: str, **options: Any) -> None:
        """Take the prefix that the id must have."""
        self.prefix = prefix
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> UUID:
        """Return the key."""
        try:
            return parse_typeid(self.prefix, data)
        except ValueError:
            raise serializers.ValidationError(
                f"must be an id that starts with {self.prefix}_"
            ) from None

    def to_representation(self, value: Any) -> str:
        """Return the text; only documents use it."""
        return str(value)


class Iban(ExactText):
    """An IBAN in its electronic format (ISO 13616), its check digits right."""

    def to_internal_value(self, data: Any) -> str:
        """Return the IBAN."""
        text = super().to_internal_value(data)
        if not is_iban(text):
            raise serializers.ValidationError("is not an IBAN, or its check digits are wrong")
        return text


METADATA_NAME: Final = ExactText(max_length=40)
METADATA_VALUE: Final = ExactText(max_length=255, allow_blank=True)


class Metadata(serializers.Field[dict[str, str], Any, dict[str, str], Any]):
    """Up to twenty pairs of text that we keep and give back untouched."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Return the pairs."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be a JSON object")
        if len(data) > METADATA_PAIRS_MAX:
            raise serializers.ValidationError(f"has more than {METADATA_PAIRS_MAX} pairs")
        problems: dict[str, Any] = {}
        for key, item in data.items():
            try:
                METADATA_NAME.run_validation(key)
                METADATA_VALUE.run_validation(item)
            except serializers.ValidationError as error:
                problems[key] = error.detail
        if problems:
            raise serializers.ValidationError(problems)
        return data

    def to_representation(self, value: Any) -> dict[str, str]:
        """Return the pairs."""
        return dict(value)


class NoFields(Form):
    """An empty object, or no body at all."""


def checked(form: type[Form], *, data: Any) -> dict[str, Any]:
    """Return what `form` makes of `data`; Invalid naming each wrong field, to `PROBLEMS_MAX`."""
    try:
        return dict(_built(form).run_validation(data))
    except serializers.ValidationError as error:
        problems = islice(flat(error.detail).items(), PROBLEMS_MAX)
        raise Invalid(fields=dict(problems)) from error


@cache
def _built(form: type[Form]) -> Form:
    """Return the one form of its kind, for every request: running it changes nothing in it.

    To build one copies all its fields, which takes longer than all they are built to check.
    """
    return form()


def flat(errors: Any, *, path: str = "") -> dict[str, str]:
    """Return nested error lists as one map from path to sentence, e.g. `items[3].currency`."""
    if isinstance(errors, Mapping):
        found: dict[str, str] = {}
        for name, inside in errors.items():
            found |= flat(inside, path=_path_to(name, within=path))
        return found
    said = errors[0] if isinstance(errors, list) and errors else errors
    if isinstance(said, Mapping):
        return flat(said, path=path)
    return {path or BODY: str(said)}


def _path_to(name: str | int, *, within: str) -> str:
    """Return the path of a field, of an item by its place, or of the whole."""
    if name == "non_field_errors":
        return within
    if isinstance(name, int):
        return f"{within}[{name}]"
    return ".".join(filter(None, [within, shown_name(str(name))]))


def is_iban(text: str) -> bool:
    """Say whether `text` is an IBAN whose check digits are right (ISO 7064, mod 97-10)."""
    if not IBAN.fullmatch(text):
        return False
    digits = "".join(str(int(char, 36)) for char in text[4:] + text[:4])
    return int(digits) % 97 == 1
