"""What two agreed to in the demo world: prices, who may pay in, money changed, a file."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from accounts.models import Approval
from accounts.roles import Role
from audit.actors import Actor
from audit.typeids import uuid7
from config.sandbox.house import House
from config.sandbox.refusal import CannotRun
from config.sandbox.signing import sign
from transactions.fees import FeeTerms
from transactions.files import read_file
from transactions.models import BatchFile
from transactions.money import Money
from transactions.orders import PartnerOrder
from transactions.proposals import Exchange
from transactions.rates import read_rate
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.batches import carry_out_batches
from transactions.selectors.files import rows_understood
from transactions.services.consents import allow_payer
from transactions.services.conversions import propose_conversion
from transactions.services.fees import FeeProposal, propose_fee_rule
from transactions.services.files import BatchTerms, Upload, propose_batch, upload_batch_file
from transactions.services.partner_transfers import request_partner_transfer
from transactions.services.rehearsals import rehearse
from transactions.states import TransferKind

# 0.25 and a fifth of a per cent: at least half a euro, at most 15.
PAYOUTS_COST: Final = FeeTerms(flat_minor=25, bps=20, minimum_minor=50, cap_minor=15_00)
PARTNERS_COST: Final = FeeTerms(flat_minor=10)
RATE: Final = "1.0825"
FILE_NAME: Final = "acme-week-46.csv"
FILE: Final = """\
key;source_account;destination_account;payee;amount;currency;reference
WEEK-46-0001;acme-pay-01-eur;acme-pay-04-eur;;410,00;EUR;Commission, week 46
WEEK-46-0002;acme-pay-01-eur;acme-pay-05-eur;;275,50;EUR;Commission, week 46
WEEK-46-0003;acme-pay-01-eur;;Northwind Foods;640,00;EUR;Order 1733
WEEK-46-0004;acme-pay-05-eur;acme-pay-01-eur;;12,00;EUR;Card replaced
WEEK-46-0005;acme-pay-01-eur;;Contoso Office Supplies;89,90;EUR;Paper
"""
Officers = Mapping[Role, Actor]


def set_prices(acme: House, *, borealis: House, officers: Officers) -> None:
    """Put in force what Acme pays for payouts; leave Borealis' price for a second person."""
    price = _propose_price(acme, TransferKind.PAYOUT, terms=PAYOUTS_COST, officers=officers)
    _sign(price, officers=officers, reason="As their contract says, page 5")
    _propose_price(borealis, TransferKind.PARTNER, terms=PARTNERS_COST, officers=officers)


def deal(acme: House, *, borealis: House, officers: Officers) -> None:
    """Let one partner pay the other, money change its currency, and a file be carried out."""
    _pay_across(borealis, to=acme)
    _exchange(acme, officers=officers)
    _carry_out_file(acme, officers=officers)


def _propose_price(
    house: House, kind: TransferKind, *, terms: FeeTerms, officers: Officers
) -> Approval:
    rule = propose_fee_rule(
        actor=officers[Role.FINANCE_OPERATOR],
        proposal=FeeProposal(
            id=uuid7(),
            partner_id=house.partner.pk,
            kind=kind,
            currency="EUR",
            terms=terms,
            reason="Their contract, page 5",
        ),
    )
    return rule.approval


def _pay_across(giver: House, *, to: House) -> None:
    """Let `to` consent to be paid, and `giver` pay it by its account's alias."""
    taker = to.purse("EUR")
    allow_payer(actor=to.actor, account_id=taker.pk, payer=giver.partner.slug)
    request_partner_transfer(
        actor=giver.actor,
        order=PartnerOrder(
            source_id=giver.purse("EUR").pk,
            alias=taker.alias,
            money=Money(1_125_00, "EUR"),
            reference="Settlement, week 46",
        ),
        origin="key:agreed-1",
    )


def _exchange(house: House, *, officers: Officers) -> None:
    """Change a thousand euros into dollars, at a rate that finance quoted and another signed."""
    euros, dollars = house.purse("EUR"), house.purse("USD")
    sold = Money(1_000_00, "EUR")
    conversion = propose_conversion(
        actor=officers[Role.FINANCE_OPERATOR],
        exchange=Exchange(
            id=uuid7(),
            source_id=euros.pk,
            destination_id=dollars.pk,
            sold_minor=sold.amount_minor,
            bought_minor=read_rate(RATE).of(sold, into="USD").amount_minor,
            rate=RATE,
            reason="Dollars for the week's payouts",
            evidence="Quote 5512 of our bank, e-mail",
        ),
    )
    _sign(conversion.approval, officers=officers, reason="The bank's quote says so")


def _carry_out_file(house: House, *, officers: Officers) -> None:
    """Upload a file, look at all that would come of it, have it signed, and carry it out."""
    finance = officers[Role.FINANCE_OPERATOR]
    file = _upload(house, finance=finance)
    if rehearse(file, actor=finance).refused:
        raise CannotRun(f"{FILE_NAME} holds a transfer that would be refused")
    terms = BatchTerms(is_atomic=True, reference="Week 46", reason="The partner's list, FIN-211")
    asked = propose_batch(actor=finance, file_id=file.pk, terms=terms)
    _sign(asked, officers=officers, reason="Compared with the partner's list")
    while carry_out_batches():
        pass


def _upload(house: House, *, finance: Actor) -> BatchFile:
    raw = FILE.encode()
    read, misspelled = read_file(raw)
    rows, unknown = rows_understood(read, book_id=house.partner.book_id, actor=finance)
    if misspelled or unknown:
        raise CannotRun(f"{FILE_NAME}: {[*misspelled, *unknown]}")
    return upload_batch_file(
        actor=finance,
        upload=Upload(
            id=uuid7(),
            partner_id=house.partner.pk,
            name=FILE_NAME,
            file_sha256=sha256(raw).hexdigest(),
            rows=rows,
        ),
    )


def _sign(asked: Approval, *, officers: Officers, reason: str) -> None:
    """Have something signed, and carried out at once."""
    sign(asked, checker=officers[Role.COMPLIANCE_OFFICER], reason=reason)
    while carry_out_approvals():
        pass
