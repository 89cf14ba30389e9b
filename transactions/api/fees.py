"""`GET /v1/fee-rules…`: what the caller's transfers cost, by the rules agreed with it."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint, id_in_path
from accounts.frontdesk.pagination import no_parameters, page_of, row_of, shown_page
from accounts.frontdesk.shapes import page_shape
from transactions.models import FeeRule
from transactions.selectors.fees import access_charged_rule, listed_fee_rules
from transactions.states import TransferKind

VIEW: Final = "accounts.view_account"


class FeeRuleShape(serializers.Serializer[Any]):
    """What one kind of transfer in one currency costs, on top of its amount.

    The flat part and `bps` hundredths of a per cent of the amount, rounded half to even; together
    at least the minimum, at most the cap. `ends_at` is null while it is in force.
    """

    id = serializers.CharField()
    kind = serializers.ChoiceField(TransferKind.values)
    currency = serializers.CharField()
    flat_minor = serializers.IntegerField()
    bps = serializers.IntegerField()
    minimum_minor = serializers.IntegerField()
    cap_minor = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField()
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)


class FeeRuleList(Endpoint):
    """The fee rules in force for the caller."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="listFeeRules",
        summary="List fee rules",
        description="What your transfers cost now: at most one rule for each kind and currency,"
        " the newest first. What no rule names costs nothing.",
        responses=page_shape(FeeRuleShape),
    )
    def get(self, request: Request) -> Response:
        """Return a page of rules."""
        actor = actor_of(request, may=VIEW)
        page = page_of(request)
        rows = listed_fee_rules(to=actor, before=row_of(page.cursor), limit=page.limit + 1)
        return Response(shown_page(rows, page=page, show=shown, key=lambda row: row.pk))


class FeeRuleDetail(Endpoint):
    """One rule that the caller's transfers are or were charged by."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="getFeeRule",
        summary="Read a fee rule",
        description="The rule that a transfer names in `fee_rule`, also once it has ended.",
        responses=FeeRuleShape,
    )
    def get(self, request: Request, rule_id: str) -> Response:
        """Return the rule; NotFound if it is not the caller's, or never came into force."""
        actor = actor_of(request, may=VIEW)
        no_parameters(request)
        return Response(shown(access_charged_rule(id_in_path("fee", rule_id), actor=actor)))


def shown(rule: FeeRule) -> dict[str, object]:
    """Return a rule as whoever pays by it sees it: not who proposed and signed it, nor why."""
    return {
        "id": rule.public_id,
        "kind": rule.kind,
        "currency": rule.currency,
        "flat_minor": rule.flat_minor,
        "bps": rule.bps,
        "minimum_minor": rule.minimum_minor,
        "cap_minor": rule.cap_minor,
        "version": rule.version,
        "begins_at": rule.begins_at,
        "ends_at": rule.ends_at,
    }
