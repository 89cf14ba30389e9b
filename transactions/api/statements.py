"""`GET /v1/accounts/{id}/balance` and `/statement`: the books at any instant, by either clock."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint, id_in_path
from accounts.frontdesk.queries import parameters_of, read_instant
from accounts.selectors.accounts import access_account
from audit.errors import Invalid
from transactions.api.accounts import VIEW
from transactions.papers import PAPERS, file_name
from transactions.selectors.clocks import balance_at, settled_at
from transactions.selectors.statements import access_books_account, statement_of
from transactions.statements import LINES_MAX, Period
from transactions.states import Clock

JSON: Final = "json"
FORMATS: Final = tuple(PAPERS)


def _instant(name: str, said: str, *, is_needed: bool) -> OpenApiParameter:
    return OpenApiParameter(
        name, OpenApiTypes.STR, required=is_needed, description=f"{said} An instant or a UTC day."
    )


CLOCK: Final = OpenApiParameter(
    "clock",
    OpenApiTypes.STR,
    enum=Clock.values,
    default=Clock.RECORDED.value,
    description="`recorded`: when we wrote it down. `occurred`: when it happened in the world.",
)


class BalanceAtShape(serializers.Serializer[Any]):
    """What an account held at an instant; final once nothing can be recorded before it."""

    account = serializers.CharField()
    currency = serializers.CharField()
    at = serializers.DateTimeField()
    clock = serializers.ChoiceField(Clock.values)
    balance_minor = serializers.IntegerField()
    is_final = serializers.BooleanField()


class StatementLineShape(serializers.Serializer[Any]):
    """One line, and how the account stood after it."""

    id = serializers.CharField()
    journal = serializers.CharField()
    purpose = serializers.CharField()
    transfer = serializers.CharField(allow_null=True)
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    amount_minor = serializers.IntegerField()
    balance_minor = serializers.IntegerField()


StatementShape = type(  # `from` is a word of the language
    "StatementShape",
    (serializers.Serializer,),
    {
        "__doc__": "An account over a period: opening, lines, closing.",
        "account": serializers.CharField(),
        "code": serializers.CharField(),
        "currency": serializers.CharField(),
        "clock": serializers.ChoiceField(Clock.values),
        "from": serializers.DateTimeField(),
        "to": serializers.DateTimeField(),
        "is_final": serializers.BooleanField(),
        "opening_minor": serializers.IntegerField(),
        "in_minor": serializers.IntegerField(),
        "out_minor": serializers.IntegerField(),
        "closing_minor": serializers.IntegerField(),
        "lines": StatementLineShape(many=True),
    },
)


class BalanceDetail(Endpoint):
    """What one of the caller's accounts held at an instant."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="getBalance",
        summary="Read a balance as of an instant",
        description="What the account held with everything up to and including `at`, by a clock.",
        parameters=[_instant("at", "Now, if left out.", is_needed=False), CLOCK],
        responses=BalanceAtShape,
    )
    def get(self, request: Request, account_id: str) -> Response:
        """Return the balance; NotFound if the account is not the caller's."""
        actor = actor_of(request, may=VIEW)
        given = parameters_of(request, known=("at", "clock"))
        read = _reading(given, wanted={"clock": _clock, "at": read_instant})
        account = access_account(id_in_path("acc", account_id), actor=actor)
        at, clock = read.get("at", timezone.now()), read.get("clock", Clock.RECORDED)
        settled = settled_at()
        return Response(
            {
                "account": account.public_id,
                "currency": account.currency,
                "at": at,
                "clock": clock.value,
                "balance_minor": balance_at(account.pk, at=at, clock=clock),
                "is_final": clock is Clock.RECORDED and at < settled,
            }
        )


class StatementDetail(Endpoint):
    """A statement of one of the caller's accounts."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="getStatement",
        summary="Read a statement",
        description=(
            "Opening, lines and closing of a period: from `from` up to, and without, `to`. At most"
            f" {LINES_MAX:,} lines; ask for a longer period in parts. A final statement reads the"
            " same for ever, byte for byte in every format."
        ),
        parameters=[
            _instant("from", "Where the period begins.", is_needed=True),
            _instant("to", "Where it ends; this instant is not in it.", is_needed=True),
            CLOCK,
            OpenApiParameter("format", OpenApiTypes.STR, enum=FORMATS, default=JSON),
        ],
        responses={
            **{(200, paper.media_type): OpenApiTypes.BINARY for paper in PAPERS.values()},
            (200, PAPERS[JSON].media_type): StatementShape,
        },
    )
    def get(self, request: Request, account_id: str) -> HttpResponse:
        """Return the statement; NotFound if the account is not the caller's."""
        actor = actor_of(request, may=VIEW)
        given = parameters_of(request, known=("from", "to", "clock", "format"))
        period, form = _asked(given)
        account = access_books_account(id_in_path("acc", account_id), actor=actor)
        statement = statement_of(account, period=period)
        paper = PAPERS[form]
        said = HttpResponse(paper.print(statement), content_type=paper.media_type)
        if form != JSON:
            name = file_name(statement, form=form)
            said.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return said


def _asked(given: Mapping[str, str]) -> tuple[Period, str]:
    """Return period and format; Invalid naming what is missing or wrong."""
    missing = {name: "is needed" for name in ("from", "to") if name not in given}
    if missing:
        raise Invalid(fields=missing)
    read = _reading(
        given,
        wanted={"from": read_instant, "to": read_instant, "clock": _clock, "format": _format},
    )
    if read["to"] < read["from"]:
        raise Invalid(fields={"to": "is before `from`"})
    clock = read.get("clock", Clock.RECORDED)
    period = Period(since=read["from"], until=read["to"], clock=clock)
    return period, read.get("format", JSON)


def _reading(
    given: Mapping[str, str], *, wanted: Mapping[str, Callable[[str], Any]]
) -> dict[str, Any]:
    """Return each parameter as it is read; Invalid naming each that cannot be."""
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, text in given.items():
        try:
            found[name] = wanted[name](text)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise Invalid(fields=problems)
    return found


def _clock(text: str) -> Clock:
    if text not in Clock.values:
        raise ValueError(f"must be one of {', '.join(Clock.values)}")
    return Clock(text)


def _format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(f"must be one of {', '.join(FORMATS)}")
    return text
