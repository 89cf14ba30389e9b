"""Commands on fee rules: proposed by finance, in force once somebody else has signed them."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.selectors.approvals import access_approval, access_decided
from accounts.selectors.partners import access_partner
from accounts.services.approvals import ask, conclude, consume
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import record
from transactions.errors import AlreadyBooked, WrongState
from transactions.fees import BPS, FeeTerms
from transactions.ledger.accounts import OUR_FEES, newly_opened, system_account
from transactions.models import FeeRule
from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS, Money
from transactions.proposals import REASON_CHARACTERS_MAX
from transactions.selectors.fees import access_fee_rule, latest_version, rule_in_force
from transactions.states import FeeState, TransferKind

ADOPT: Final = "transactions.adopt_fee_rule"
# What the example costs: 100 whole units of the currency.
EXAMPLE_UNITS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeProposal:
    """A rule somebody proposes. `id` is drawn by the form: sent twice, it is one proposal."""

    id: UUID
    partner_id: UUID
    kind: TransferKind
    currency: str
    terms: FeeTerms
    reason: str


@command
def propose_fee_rule(*, actor: Actor, proposal: FeeProposal) -> FeeRule:
    """Propose what a partner pays for one kind of transfer in one currency. Charges nothing yet.

    Refuses with NotFound, Invalid (terms that make no sense, no reason), and
    AlreadyAsked or AlreadyBooked for an id proposed before.
    """
    _check(proposal)
    partner, terms = access_partner(proposal.partner_id, actor=actor), proposal.terms
    rule = FeeRule(
        id=proposal.id,
        partner=partner,
        book_id=partner.book_id,
        kind=proposal.kind,
        currency=proposal.currency,
        flat_minor=terms.flat_minor,
        bps=terms.bps,
        minimum_minor=terms.minimum_minor,
        cap_minor=terms.cap_minor,
        proposed_by=actor.ref,
    )
    rule.approval = ask(
        ADOPT,
        actor=actor,
        subject_ref=rule.audit_ref,
        book_id=partner.book_id,
        payload=fee_payload(rule, reason=proposal.reason),
    )
    with refuse_on({"transactions_feerule_pkey": AlreadyBooked(origin=rule.audit_ref)}):
        rule.save(force_insert=True)
    facts = {"reason": proposal.reason}
    record("fee_rule.proposed", actor=actor, target=rule, facts=facts, rows=[rule, rule.approval])
    return rule


@command
def adopt_fee_rule(*, actor: Actor, approval_id: UUID) -> FeeRule:
    """Carry out an approval: the rule is the next version, and ends the one before it.

    Transfers that are decided from now on are charged by it. Refuses with
    AlreadyDecided, and StaleApproval where another version came in between.
    """
    approval = access_decided(approval_id, action=ADOPT, actor=actor)
    rule = access_fee_rule(approval.subject_id, actor=actor, lock=True)
    before = rule_in_force(rule, lock=True)
    reason = str(approval.payload.get("reason", ""))
    consume(approval, payload=fee_payload(rule, reason=reason))
    account = system_account(OUR_FEES, book_id=rule.book_id, currency=rule.currency)
    now = timezone.now()
    rows = [rule, approval, *newly_opened(account)]
    if before is not None:
        before.state, before.ends_at = FeeState.ENDED, now
        before.save(update_fields=["state", "ends_at"])
        rows.append(before)
    rule.state, rule.begins_at, rule.account = FeeState.IN_FORCE, now, account
    rule.version = latest_version(rule) + 1
    rule.save(update_fields=["state", "begins_at", "account", "version"])
    facts = {"version": rule.version}
    record("fee_rule.adopted", actor=actor, target=rule, facts=facts, rows=rows)
    return rule


@command
def decline_fee_rule(*, actor: Actor, approval_id: UUID) -> FeeRule:
    """Carry out a rejection or withdrawal: the rule never comes into force, and stays on record.

    WrongState unless it is proposed.
    """
    approval = access_approval(approval_id, actor=actor, lock=True)
    rule = access_fee_rule(approval.subject_id, actor=actor, lock=True)
    if rule.state != FeeState.PROPOSED:
        raise WrongState(state=rule.state, wanted=FeeState.DECLINED.value)
    rule.state = FeeState.DECLINED
    rule.save(update_fields=["state"])
    conclude(approval)
    record("fee_rule.declined", actor=actor, target=rule, rows=[rule, approval])
    return rule


def fee_payload(rule: FeeRule, *, reason: str) -> dict[str, Json]:
    """Return exactly what a checker is shown: the terms, an example, and what it replaces."""
    before = rule_in_force(rule)
    return {
        "fee_rule": rule.public_id,
        "partner": rule.partner.name,
        "kind": rule.kind,
        "currency": rule.currency,
        "flat_minor": rule.flat_minor,
        "bps": rule.bps,
        "minimum_minor": rule.minimum_minor,
        "cap_minor": rule.cap_minor,
        "example": example_of(rule),
        "replaces": f"version {before.version}: {example_of(before)}" if before else "",
        "reason": reason,
        "requested_by": rule.proposed_by,
    }


def example_of(rule: FeeRule) -> str:
    """Say what a transfer of a hundred units would cost."""
    minor = EXAMPLE_UNITS * 10 ** EXPONENTS[rule.currency]
    fee = Money(rule.terms.on(minor), rule.currency)
    return f"{Money(minor, rule.currency)} costs {fee}"


def _check(proposal: FeeProposal) -> None:
    """Refuse terms that make no sense, a currency nobody knows, and an act without a reason."""
    terms, wrong = proposal.terms, {}
    amounts = (terms.flat_minor, terms.minimum_minor, terms.cap_minor or 0)
    if not all(0 <= amount <= AMOUNT_MINOR_MAX for amount in amounts):
        wrong["terms"] = "amounts are zero or above"
    if not 0 <= terms.bps <= BPS:
        wrong["bps"] = f"between 0 and {BPS}"
    if terms.cap_minor is not None and terms.cap_minor < terms.minimum_minor:
        wrong["cap_minor"] = "is below the minimum"
    if proposal.currency not in EXPONENTS:
        wrong["currency"] = "is not one we know"
    if not 0 < len(proposal.reason.strip()) <= REASON_CHARACTERS_MAX:
        wrong["reason"] = f"between 1 and {REASON_CHARACTERS_MAX} characters"
    if wrong:
        raise Invalid(fields=wrong)
