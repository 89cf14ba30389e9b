"""What each state means in one plain sentence, and what happens next. Pure."""

from typing import Final

from transactions.states import (
    BatchState,
    FeeState,
    HoldState,
    ItemState,
    PayeeState,
    TransferState,
)

TRANSFER_COLOURS: Final[dict[str, str]] = {
    TransferState.AWAITING_APPROVAL: "warning",
    TransferState.ACCEPTED: "info",
    TransferState.DISPATCHED: "info",
    TransferState.UNKNOWN: "danger",
    TransferState.SETTLED: "success",
    TransferState.FAILED: "danger",
    TransferState.REJECTED: "danger",
    TransferState.RETURNED: "warning",
    TransferState.REVERSED: "warning",
    TransferState.SCHEDULED: "info",
}
TRANSFERS: Final[dict[str, str]] = {
    TransferState.AWAITING_APPROVAL: "A second person must approve this before it is sent. The"
    " money is reserved on the account until then.",
    TransferState.ACCEPTED: "Accepted and about to be sent to the bank, usually within seconds."
    " It can still be cancelled.",
    TransferState.DISPATCHED: "Sent to the bank and waiting for its word. The money stays"
    " reserved; the bank is asked by itself if nothing is heard.",
    TransferState.UNKNOWN: "Sent, but the bank gave no clear answer, so it may have been paid."
    " The bank is asked again until it says. Do not send it a second time.",
    TransferState.SETTLED: "The money has arrived and the books say so. Nothing more happens"
    " unless the bank returns it.",
    TransferState.FAILED: "The bank refused it. The reserved money is back on the account, and"
    " the payee received nothing.",
    TransferState.REJECTED: "A second person rejected it, so it was never sent. The reserved"
    " money is back on the account.",
    TransferState.CANCELLED: "Called off before it was sent. The reserved money is back on the"
    " account.",
    TransferState.RETURNED: "The bank paid it and later sent the money back. A second journal"
    " undoes the first; the payee does not have the money.",
    TransferState.SCHEDULED: "It waits for its time. Nothing is reserved until then, and it can"
    " still be cancelled; limits, freezes and funds are checked when the time comes.",
    TransferState.REVERSED: "All of it went back to the account it came from. Every way back is a"
    " journal that names the first one; nothing more happens.",
}
HOLD_COLOURS: Final[dict[str, str]] = {
    HoldState.OPEN: "info",
    HoldState.POSTED: "success",
    HoldState.EXPIRED: "warning",
}
HOLDS: Final[dict[str, str]] = {
    HoldState.OPEN: "The money is set aside: it is on the account and cannot be spent. What is"
    " left of it can be captured or released; a partner's hold expires by itself.",
    HoldState.POSTED: "Captured. What was captured has left the account, and the rest, if any, is"
    " available again. Nothing more happens.",
    HoldState.VOIDED: "Released before all of it was captured. What was left is available again."
    " Nothing more happens.",
    HoldState.EXPIRED: "Its time was up before all of it was captured. What was left is available"
    " again. Nothing more happens.",
}
FEE_COLOURS: Final[dict[str, str]] = {
    FeeState.PROPOSED: "warning",
    FeeState.IN_FORCE: "success",
    FeeState.DECLINED: "danger",
}
FEES: Final[dict[str, str]] = {
    FeeState.PROPOSED: "Proposed. A second person must approve it; until then it charges nothing.",
    FeeState.IN_FORCE: "In force. Every such transfer that is decided now is charged by it.",
    FeeState.ENDED: "Replaced by a later version. What was charged by it stays charged.",
    FeeState.DECLINED: "Declined. It never came into force, and stays on record.",
}
BATCH_COLOURS: Final[dict[str, str]] = {
    BatchState.ACCEPTED: "info",
    BatchState.RUNNING: "info",
    BatchState.FINISHED: "success",
    BatchState.REFUSED: "danger",
}
BATCHES: Final[dict[str, str]] = {
    BatchState.ACCEPTED: "Taken in, and nothing has moved yet. It is carried out by itself,"
    " usually within seconds.",
    BatchState.RUNNING: "Being carried out, a thousand items at a time. What is done is done;"
    " after a crash it goes on with the first item that has no outcome.",
    BatchState.FINISHED: "Every item has its outcome. Payouts among them go their own way from"
    " here.",
    BatchState.REFUSED: "All or none was asked for and one item could not be, so nothing moved."
    " Asking again takes a new batch.",
}
ITEM_COLOURS: Final[dict[str, str]] = {
    ItemState.PENDING: "info",
    ItemState.DONE: "success",
    ItemState.REFUSED: "danger",
    ItemState.REPLAYED: "warning",
}
ITEMS: Final[dict[str, str]] = {
    ItemState.PENDING: "Waiting for its turn in the batch.",
    ItemState.DONE: "It became a transfer, which goes its own way from here.",
    ItemState.REFUSED: "It was refused and moved nothing. The other items are not touched, unless"
    " all or none was asked for.",
    ItemState.REPLAYED: "Its key had made this very transfer before, so nothing was done again.",
    ItemState.DROPPED: "Not done: all or none was asked for, and another item was refused.",
}
PAYMENT_COLOURS: Final[dict[str, str]] = {
    "pending": "info",
    "requires_action": "warning",
    "processing": "info",
    "authorised": "info",
    "succeeded": "success",
    "failed": "danger",
}
PAYMENTS: Final[dict[str, str]] = {
    "pending": "The payer has begun to pay. Nothing is booked until the provider has the money.",
    "requires_action": "The payer must confirm with their bank. Nothing is booked until they do.",
    "processing": "The payer's bank is working on it. It is booked when the money reaches us.",
    "authorised": "The money is set aside at the payer's bank and has not been taken yet.",
    "succeeded": "The payer has paid. What reached us is booked with its fee; refunds and"
    " disputes are booked as the provider moves the money.",
    "failed": "The payer's bank refused it. Nothing was booked and nothing happens next.",
    "cancelled": "Given up before it was paid. Nothing was booked and nothing happens next.",
}
DISPUTE_COLOURS: Final[dict[str, str]] = {
    "warning_needs_response": "warning",
    "warning_under_review": "info",
    "needs_response": "danger",
    "under_review": "warning",
    "won": "success",
    "lost": "danger",
}
DISPUTES: Final[dict[str, str]] = {
    "warning_needs_response": "The payer's bank is asking. No money has moved; answering it at"
    " the provider may prevent a dispute.",
    "warning_under_review": "The payer's bank is reading the answer. No money has moved.",
    "warning_closed": "The inquiry ended without a dispute, and no money moved.",
    "needs_response": "The payer objected and the provider took the money back. It waits for"
    " evidence at the provider.",
    "under_review": "Evidence was handed in and the payer's bank is deciding. The money stays"
    " with the provider until then.",
    "won": "Decided for us. The provider gives the money back, which is booked when it arrives.",
    "lost": "Decided for the payer. The money stays with them and nothing happens next.",
}
APPROVAL_COLOURS: Final[dict[str, str]] = {
    "open": "warning",
    "approved": "info",
    "used": "success",
    "rejected": "danger",
}
APPROVALS: Final[dict[str, str]] = {
    "open": "Waiting for a second person, who must not be the one who asked. Nothing happens"
    " until somebody decides.",
    "approved": "Approved. It is carried out within seconds, after everything is checked again.",
    "used": "Approved and carried out. An approval is good for one act, so this one is spent.",
    "rejected": "Rejected. What was asked for will not happen, and reserved money is released.",
    "withdrawn": "Taken back before anybody decided. What was asked for will not happen.",
}
FILES: Final[dict[str, str]] = {
    "new": "Read and understood. Nothing has moved, and nobody has been asked: look at what would"
    " happen, and ask for it.",
    "open": "Asked for. Nothing moves until a second person has approved exactly these rows.",
    "approved": "Approved. It becomes a batch within seconds, after everything is checked again.",
    "used": "Approved, and a batch since then. Its rows are being carried out in their order.",
    "over": "Approved, and carried out: the batch says what came of each row.",
    "rejected": "Rejected. Nothing moved. It may be asked for again.",
    "withdrawn": "Taken back before anybody decided. Nothing moved. It may be asked for again.",
}
FREEZES: Final[dict[str, str]] = {
    "none": "Not frozen. Money may arrive and leave.",
    "debits": "Frozen: nothing may leave. Money may still arrive.",
    "credits": "Frozen: nothing may arrive. Money may still leave.",
    "all": "Frozen: nothing may arrive or leave.",
    "amount": "Frozen for an amount: that much is held back, the rest may move.",
}
FREEZE_COLOURS: Final[dict[str, str]] = {
    "none": "success",
    "debits": "danger",
    "credits": "danger",
    "all": "danger",
    "amount": "warning",
}
PAYEE_COLOURS: Final[dict[str, str]] = {
    PayeeState.PROPOSED: "warning",
    PayeeState.ACTIVE: "success",
    PayeeState.DECLINED: "danger",
}
PAYEES: Final[dict[str, str]] = {
    PayeeState.PROPOSED: "Waiting for a second person. Nothing is paid to it until then.",
    PayeeState.ACTIVE: "Registered. Payouts may name it.",
    PayeeState.DECLINED: "Declined or withdrawn. It was never registered, and stays on record.",
    PayeeState.RETIRED: "Retired. No payout may name it any more.",
}
