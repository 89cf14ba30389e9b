"""`GET /v1/accounts…`: what a partner's accounts hold, and what moved."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint, id_in_path
from accounts.frontdesk.pagination import no_parameters, page_of, row_of, shown_page
from accounts.frontdesk.shapes import page_shape
from accounts.models import Account, Freeze
from accounts.selectors.accounts import access_account, listed_accounts, shown_account
from accounts.states import AccountStatus, FreezeMode
from audit.errors import Fault
from audit.typeids import typeid
from transactions.limits import Cap
from transactions.models import Balance, Journal, Posting
from transactions.selectors.balances import balances_of, postings_on
from transactions.selectors.limits import limits_on
from transactions.states import LimitKind, LimitScope, LimitWindow

VIEW = "accounts.view_account"


class FreezeShape(serializers.Serializer[Any]):
    """An order that stops money on the account. Why, and by whom, is not told."""

    id = serializers.CharField()
    mode = serializers.ChoiceField([mode.value for mode in FreezeMode if mode != FreezeMode.NONE])
    amount_minor = serializers.IntegerField(allow_null=True)
    placed_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)


class LimitShape(serializers.Serializer[Any]):
    """A limit on what may leave: the account's own, or one on all your accounts in its currency.

    `used` and `left` count what left in the window until now; null where it is not limited so.
    """

    id = serializers.CharField()
    scope = serializers.ChoiceField(LimitScope.values)
    kind = serializers.ChoiceField(LimitKind.values)
    window = serializers.ChoiceField(LimitWindow.values)
    amount_max_minor = serializers.IntegerField(allow_null=True)
    amount_used_minor = serializers.IntegerField()
    amount_left_minor = serializers.IntegerField(allow_null=True)
    count_max = serializers.IntegerField(allow_null=True)
    count_used = serializers.IntegerField()
    count_left = serializers.IntegerField(allow_null=True)


class AccountShape(serializers.Serializer[Any]):
    """One account and its money, in minor units of its currency."""

    id = serializers.CharField()
    name = serializers.CharField()
    alias = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(AccountStatus.values)
    freezes = FreezeShape(many=True)
    posted_minor = serializers.IntegerField()
    pending_minor = serializers.IntegerField()
    floor_minor = serializers.IntegerField()
    available_minor = serializers.IntegerField()
    closed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class AccountDetailShape(AccountShape):
    """One account, its money, and the limits on what may leave it."""

    limits = LimitShape(many=True)


class PostingShape(serializers.Serializer[Any]):
    """One line on the account: above zero arrived, below zero left."""

    id = serializers.CharField()
    journal = serializers.CharField()
    purpose = serializers.CharField()
    transfer = serializers.CharField(allow_null=True)
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    balance_after_minor = serializers.IntegerField(allow_null=True)
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()


class AccountList(Endpoint):
    """The caller's accounts."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="listAccounts",
        summary="List accounts",
        description="Your accounts with their balances, oldest first.",
        responses=page_shape(AccountShape),
    )
    def get(self, request: Request) -> Response:
        """Return a page of accounts."""
        actor = actor_of(request, may=VIEW)
        page = page_of(request)
        rows = listed_accounts(to=actor, after=row_of(page.cursor), limit=page.limit + 1)
        balances = balances_of(row.pk for row in rows)
        return Response(
            shown_page(
                rows,
                page=page,
                show=lambda row: shown(row, balance=balances.get(row.pk)),
                key=lambda row: row.pk,
            )
        )


class AccountDetail(Endpoint):
    """One of the caller's accounts."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="getAccount",
        summary="Read an account",
        description="One account: what is posted, what is reserved, what may still be spent, and"
        " how much of each limit is used.",
        responses=AccountDetailShape,
    )
    def get(self, request: Request, account_id: str) -> Response:
        """Return the account; NotFound if it is not the caller's."""
        actor = actor_of(request, may=VIEW)
        no_parameters(request)
        account = shown_account(id_in_path("acc", account_id), actor=actor)
        balance = balances_of([account.pk]).get(account.pk)
        limits = [_limit(cap) for cap in limits_on(account)]
        return Response(shown(account, balance=balance) | {"limits": limits})


class PostingList(Endpoint):
    """What moved on one of the caller's accounts."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="listPostings",
        summary="List an account's postings",
        description="Every line that changed the account's balance, the newest first.",
        responses=page_shape(PostingShape),
    )
    def get(self, request: Request, account_id: str) -> Response:
        """Return a page of postings; NotFound if the account is not the caller's."""
        actor = actor_of(request, may=VIEW)
        page = page_of(request)
        account = access_account(id_in_path("acc", account_id), actor=actor)
        rows = postings_on(account.pk, to=actor, before=row_of(page.cursor), limit=page.limit + 1)
        return Response(shown_page(rows, page=page, show=_line, key=lambda row: row[0].pk))


def shown(account: Account, *, balance: Balance | None) -> dict[str, object]:
    """Return an account as its partner sees it."""
    if balance is None:
        raise Fault(f"{account.audit_ref} has no balance")
    freezes: list[Freeze] = account.open_freezes  # type: ignore[attr-defined]
    return {
        "id": account.public_id,
        "name": account.name,
        "alias": account.alias,
        "currency": account.currency,
        "status": account.status.value,
        "freezes": [
            {
                "id": freeze.public_id,
                "mode": freeze.mode,
                "amount_minor": freeze.amount_minor,
                "placed_at": freeze.placed_at,
                "ends_at": freeze.ends_at,
            }
            for freeze in freezes
        ],
        "posted_minor": balance.posted_minor,
        "pending_minor": balance.pending_minor,
        "floor_minor": balance.floor_minor,
        "available_minor": balance.available_minor,
        "closed_at": account.closed_at,
        "created_at": account.created_at,
    }


def _limit(cap: Cap) -> dict[str, object]:
    return {
        "id": typeid("lim", cap.limit_id),
        "scope": cap.scope.value,
        "kind": cap.kind.value,
        "window": cap.window.value,
        "amount_max_minor": cap.amount_max_minor,
        "amount_used_minor": cap.amount_used_minor,
        "amount_left_minor": cap.amount_left_minor,
        "count_max": cap.count_max,
        "count_used": cap.count_used,
        "count_left": cap.count_left,
    }


def _line(row: tuple[Posting, Journal]) -> dict[str, object]:
    posting, journal = row
    model, _, key = journal.subject_ref.partition(":")
    return {
        "id": typeid("pst", posting.pk),
        "journal": typeid("jnl", journal.pk),
        "purpose": journal.purpose,
        "transfer": typeid("trf", UUID(key)) if model == "transfer" else None,
        "amount_minor": posting.amount_minor,
        "currency": posting.currency,
        "balance_after_minor": posting.balance_after_minor,
        "occurred_at": posting.occurred_at,
        "recorded_at": journal.recorded_at,
    }
