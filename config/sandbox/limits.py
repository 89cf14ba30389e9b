"""The limits of the demo world: asked for by finance, agreed to by compliance."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from accounts.models import Approval
from accounts.roles import Role
from audit.actors import Actor
from config.sandbox.cast import Firm
from config.sandbox.house import House
from config.sandbox.signing import sign
from transactions.rounds.approvals import carry_out_approvals
from transactions.services.limits import Maxima, request_limit, request_partner_limit
from transactions.states import LimitKind, LimitWindow

DAYS_PAYOUTS: Final = Maxima(amount_minor=250_000_00, count=500)
MONTHS_ALL: Final = Maxima(amount_minor=4_000_000_00)


def agree(firms: Iterable[tuple[Firm, House]], *, officers: Mapping[Role, Actor]) -> None:
    """Limit what each purse may send at a time, and what each firm may send in all."""
    finance, checker = officers[Role.FINANCE_OPERATOR], officers[Role.COMPLIANCE_OFFICER]
    for firm, house in firms:
        for asked in (
            *_of_purses(firm, house=house, finance=finance),
            *_of_firm(house, finance=finance),
        ):
            sign(asked, checker=checker, reason="As their contract says")
    while carry_out_approvals():
        pass


def _of_purses(firm: Firm, *, house: House, finance: Actor) -> Iterator[Approval]:
    purses = [purse for client in firm.clients for purse in client.purses]
    for purse, account in zip(purses, house.accounts, strict=True):
        if purse.limit_minor is not None:
            yield request_limit(
                actor=finance,
                account_id=account.pk,
                kind=LimitKind.ANY,
                window=LimitWindow.TRANSFER,
                maxima=Maxima(amount_minor=purse.limit_minor),
                reason="Their contract, page 4",
            )


def _of_firm(house: House, *, finance: Actor) -> Iterator[Approval]:
    for kind, window, maxima in (
        (LimitKind.PAYOUT, LimitWindow.DAY, DAYS_PAYOUTS),
        (LimitKind.ANY, LimitWindow.DAYS_30, MONTHS_ALL),
    ):
        yield request_partner_limit(
            actor=finance,
            partner_id=house.partner.pk,
            currency="EUR",
            kind=kind,
            window=window,
            maxima=maxima,
            reason="Their contract, page 4",
        )
