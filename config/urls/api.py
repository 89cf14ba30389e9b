"""The partners' door: every address the API process answers."""

from django.urls import path

from accounts.api.events import EventFeed
from accounts.api.keys import KeyDetail
from accounts.api.token import TokenDoor
from config import health, pages
from transactions.api.accounts import AccountDetail, AccountList, PostingList
from transactions.api.batches import BatchDetail, BatchItems, BatchList
from transactions.api.consents import PayerDetail, PayerList, PayerWithdraw
from transactions.api.fees import FeeRuleDetail, FeeRuleList
from transactions.api.holds import HoldCapture, HoldDetail, HoldList, HoldVoid
from transactions.api.reversals import TransferReverse
from transactions.api.statements import BalanceDetail, StatementDetail
from transactions.api.transfers import (
    TransferCancel,
    TransferDetail,
    TransferList,
)

urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("v1/openapi.json", pages.openapi),
    path("v1/docs", pages.docs),
    path("problems/<slug:code>", pages.problem),
    path("v1/oauth/token", TokenDoor.as_view()),
    path("v1/accounts", AccountList.as_view()),
    path("v1/accounts/<str:account_id>", AccountDetail.as_view()),
    path("v1/accounts/<str:account_id>/postings", PostingList.as_view()),
    path("v1/accounts/<str:account_id>/balance", BalanceDetail.as_view()),
    path("v1/accounts/<str:account_id>/statement", StatementDetail.as_view()),
    path("v1/accounts/<str:account_id>/payers", PayerList.as_view()),
    path("v1/payers/<str:payer_id>", PayerDetail.as_view()),
    path("v1/payers/<str:payer_id>/withdraw", PayerWithdraw.as_view()),
    path("v1/fee-rules", FeeRuleList.as_view()),
    path("v1/fee-rules/<str:rule_id>", FeeRuleDetail.as_view()),
    path("v1/transfers", TransferList.as_view()),
    path("v1/transfers/<str:transfer_id>", TransferDetail.as_view()),
    path("v1/transfers/<str:transfer_id>/cancel", TransferCancel.as_view()),
    path("v1/transfers/<str:transfer_id>/reverse", TransferReverse.as_view()),
    path("v1/holds", HoldList.as_view()),
    path("v1/holds/<str:hold_id>", HoldDetail.as_view()),
    path("v1/holds/<str:hold_id>/capture", HoldCapture.as_view()),
    path("v1/holds/<str:hold_id>/void", HoldVoid.as_view()),
    path("v1/transfer-batches", BatchList.as_view()),
    path("v1/transfer-batches/<str:batch_id>", BatchDetail.as_view()),
    path("v1/transfer-batches/<str:batch_id>/items", BatchItems.as_view()),
    path("v1/events", EventFeed.as_view()),
    path("v1/idempotency-keys/<path:key>", KeyDetail.as_view()),
]

handler400 = "config.api.bad_request"
handler403 = "config.api.forbidden"
handler404 = "config.api.missing"
handler500 = "config.api.broken"
