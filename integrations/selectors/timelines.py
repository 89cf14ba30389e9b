"""What this floor adds to a timeline: callbacks that came in, and our calls to providers."""

from collections.abc import Iterator
from typing import Final

from audit.actors import Actor
from audit.moments import Kind, Moment, Tone
from audit.selectors.timelines import Thread, source
from integrations.models import Callback, Dispatch
from integrations.selectors.callbacks import visible_callbacks
from integrations.states import CallbackState, DispatchAct, DispatchAnswer

CALLBACKS_MAX: Final = 100
CALLS_MAX: Final = 100
CALL_TONES: Final = {
    DispatchAnswer.DECLINED: Tone.BAD,
    DispatchAnswer.UNKNOWN: Tone.WARN,
    DispatchAnswer.NEVER_HEARD: Tone.WARN,
}


@source
def callbacks(thread: Thread, to: Actor) -> Iterator[Moment]:
    """Return the callbacks on the thread's traces; those who see no inbox see none."""
    seen = visible_callbacks(to=to).defer("body")
    asked = (
        seen.filter(trace_id__in=list(thread.traces)),
        seen.filter(pk__in=thread.keys("callback")),
    )
    found = {row.pk: row for rows in asked for row in rows.order_by("-id")[:CALLBACKS_MAX]}
    for callback in found.values():
        yield _came_in(callback)


@source
def calls(thread: Thread, to: Actor) -> Iterator[Moment]:
    """Return our calls to providers about the thread's transfers, which `to` may see."""
    del to
    found = Dispatch.objects.filter(transfer_id__in=thread.keys("transfer"))
    for call in found.order_by("id")[:CALLS_MAX]:
        answer = DispatchAnswer(call.answer)
        yield Moment(
            at=call.called_at,
            kind=Kind.CALL,
            ref=f"dispatch:{call.pk}",
            title=f"{call.provider.capitalize()}: {DispatchAct(call.act).label.lower()}",
            about=f"transfer:{call.transfer_id}",
            who="Countersign",
            said=f"{answer.label}, {call.duration_ms} ms. {call.detail}".strip(),
            tone=CALL_TONES.get(answer, Tone.PLAIN),
        )


def _came_in(callback: Callback) -> Moment:
    state = CallbackState(callback.state)
    times = f"; delivered {callback.deliveries} times" if callback.deliveries > 1 else ""
    return Moment(
        at=callback.received_at,
        kind=Kind.CALLBACK,
        ref=callback.audit_ref,
        title=callback.event_type or "Callback",
        about=callback.audit_ref,
        who=callback.provider.capitalize(),
        said=f"{callback.detail or state.label}{times}",
        tone=Tone.WARN if state is CallbackState.QUARANTINED else Tone.PLAIN,
    )
