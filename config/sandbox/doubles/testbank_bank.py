"""The Test Bank itself: what it does when asked, and what it tells when. No network here."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any
from uuid import uuid4

from config.sandbox.doubles.testbank_lies import Lie, News, Pace, lies_in, plan
from config.sandbox.doubles.testbank_memory import Fact, Memory

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank says: now, after a while, or (status 0) never."""

    status: int
    body: JsonObject
    wait_seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Execution:
    """One time that money really moved."""

    payment_id: str
    key: str
    order: JsonObject
    lies: frozenset[Lie]
    at: float
    news: tuple[News, ...]
    delivered: Counter[str] = field(default_factory=Counter)

    def status_at(self, now: float) -> News | None:
        """Return the last thing that look-up shows, None while it is only accepted."""
        seen = [news for news in self.news if news.visible_at <= now]
        return max(seen, key=lambda news: news.occurred_at, default=None)


class Bank:
    """The bank's books and its mood. Every method is whole: one caller at a time."""

    def __init__(self, memory: Memory, *, pace: Pace) -> None:
        """Remember everything in `memory`; `pace` holds until a remembered wish changed it."""
        self._memory = memory
        self._lock = RLock()
        self._ahead_seconds = 0.0
        self._executions: list[Execution] = []
        self._by_reference: dict[str, Execution] = {}
        self._by_event: dict[str, Execution] = {}
        self._answers: dict[str, tuple[str, Answer]] = {}
        self._unheard: dict[str, float] = {}
        self._moods: list[JsonObject] = []
        self.pace = pace
        self.post: Callable[[Execution], None] = lambda _: None
        for fact in memory:
            self._recall(fact)

    def now(self) -> float:
        """Return the bank's clock: ours, plus what it was told to advance by."""
        return time.time() + self._ahead_seconds

    # -- the counter ------------------------------------------------------------------------

    def pay(self, order: JsonObject, *, key: str) -> Answer:
        """Make a payment, or say what was said before to the same key."""
        digest = hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()
        with self._lock:
            if key in self._answers:
                said_to, answer = self._answers[key]
                return answer if said_to == digest else _refusal(422, "idempotency_key_reused")
            lies = lies_in(order["destination"]["name"]) | self._mood(order["reference"])
            if self._turns_away(order["reference"], lies=lies):
                return _refusal(500, "internal_error")
            if Lie.DECLINE in lies:
                self._keep({"fact": "declined", "key": key, "digest": digest})
                return self._answers[key][1]
            return self._execute(order, key=key, digest=digest, lies=lies)

    def _turns_away(self, reference: str, *, lies: frozenset[Lie]) -> bool:
        """Whether nothing is made of it yet, for NEVER-HEARD and until its window has passed."""
        now = self.now()
        if Lie.NEVER_HEARD in lies and reference not in self._unheard:
            self._keep({"fact": "unheard", "reference": reference, "at": now})
        heard_at = self._unheard.get(reference, now) + self.pace.window_seconds
        return reference in self._unheard and now < heard_at

    def _execute(
        self, order: JsonObject, *, key: str, digest: str, lies: frozenset[Lie]
    ) -> Answer:
        """Move the money: written down first, answered second."""
        payment_id, now = f"pay_{uuid4().hex}", self.now()
        news = plan(lies, payment_id=payment_id, now=now, pace=self.pace)
        self._keep(
            {
                "fact": "executed",
                "payment_id": payment_id,
                "key": key,
                "digest": digest,
                "order": order,
                "lies": sorted(lies),
                "at": now,
                "news": [asdict(each) for each in news],
            }
        )
        self.post(self._by_event[news[0].id])
        if lies & {Lie.ERROR_AFTER, Lie.FORGETFUL}:
            return _refusal(500, "internal_error")
        if Lie.TIMEOUT_AFTER in lies:
            return Answer(0, {}, wait_seconds=self.pace.silence_seconds)
        wait = self.pace.slow_seconds if Lie.SLOW_ANSWER in lies else 0.0
        return Answer(201, self._answers[key][1].body, wait_seconds=wait)

    def look_up(self, reference: str) -> Answer:
        """Say how the first payment under a reference stands, or that there is none."""
        with self._lock:
            now, execution = self.now(), self._by_reference.get(reference)
            if execution is not None and not self._denies(execution, now):
                return Answer(200, self._standing(execution, now))
        return _refusal(404, "no_such_reference")

    def _denies(self, execution: Execution, now: float) -> bool:
        """Whether look-up still pretends not to know this payment."""
        known_from = execution.at + self.pace.window_seconds
        return Lie.FORGETFUL in execution.lies and now < known_from

    def _standing(self, execution: Execution, now: float) -> JsonObject:
        """Say how one payment stands."""
        latest = execution.status_at(now)
        return {
            "payment_id": execution.payment_id,
            "status": latest.type.removeprefix("payment.") if latest else "accepted",
            "reference": execution.order["reference"],
            "amount_minor": execution.order["amount_minor"],
            "currency": execution.order["currency"],
            "reason": latest.reason if latest else None,
            "occurred_at": spoken(latest.occurred_at if latest else execution.at),
        }

    # -- the post room ----------------------------------------------------------------------

    def owed(self) -> Iterator[tuple[float, str, JsonObject]]:
        """Yield every callback still to be sent, once a copy: when due, event id, body."""
        with self._lock:
            executions = list(self._executions)
        for execution in executions:
            yield from self.news_of(execution)

    def news_of(self, execution: Execution) -> Iterator[tuple[float, str, JsonObject]]:
        """Yield what is still owed for one payment."""
        for news in execution.news:
            for _ in range(news.copies - execution.delivered[news.id]):
                yield news.due_at, news.id, _callback(execution, news)

    def note_delivered(self, event_id: str) -> None:
        """Remember that one copy was received."""
        self._keep({"fact": "delivered", "event": event_id})

    # -- the back door, for tests -----------------------------------------------------------

    def executions(self) -> JsonObject:
        """Say every time that money really moved, and how often per reference."""
        with self._lock:
            now = self.now()
            payments = [
                {
                    **self._standing(execution, now),
                    "key": execution.key,
                    "executed_at": spoken(execution.at),
                    "lies": sorted(execution.lies),
                    "callbacks": [
                        {"id": n.id, "type": n.type, "delivered": execution.delivered[n.id]}
                        for n in execution.news
                    ],
                }
                for execution in self._executions
            ]
        times = Counter(payment["reference"] for payment in payments)
        return {"payments": payments, "times_moved": times}

    def behave(self, mood: JsonObject) -> None:
        """Lie as told, to all or one reference, for some payments or until told otherwise."""
        self._keep({"fact": "mood", **mood})

    def advance(self, seconds: float) -> None:
        """Put the bank's clock forward."""
        self._keep({"fact": "advanced", "seconds": seconds})

    def _mood(self, reference: str) -> frozenset[Lie]:
        """Return the lies told to this payment by control, and use them up."""
        for mood in self._moods:
            if mood["reference"] in {None, reference}:
                if mood["times"] is not None:
                    self._keep({"fact": "mood_used", "id": mood["id"]})
                return frozenset(Lie(lie) for lie in mood["lies"])
        return frozenset()

    # -- memory -----------------------------------------------------------------------------

    def _keep(self, fact: JsonObject) -> None:
        with self._lock:
            self._memory.keep(fact)
            self._recall(fact)

    def _recall(self, fact: Fact) -> None:
        """Make one fact true: the same code when it happens and when it is read again."""
        getattr(self, f"_recall_{fact['fact']}")(fact)

    def _recall_executed(self, fact: Mapping[str, Any]) -> None:
        execution = Execution(
            payment_id=fact["payment_id"],
            key=fact["key"],
            order=fact["order"],
            lies=frozenset(Lie(lie) for lie in fact["lies"]),
            at=fact["at"],
            news=tuple(News(**news) for news in fact["news"]),
        )
        self._executions.append(execution)
        self._by_reference.setdefault(execution.order["reference"], execution)
        self._by_event |= dict.fromkeys((news.id for news in execution.news), execution)
        body = {"payment_id": execution.payment_id, "status": "accepted"}
        self._answers[execution.key] = (fact["digest"], Answer(201, body))

    def _recall_declined(self, fact: Mapping[str, Any]) -> None:
        self._answers[fact["key"]] = (fact["digest"], _refusal(422, "account_blocked"))

    def _recall_unheard(self, fact: Mapping[str, Any]) -> None:
        self._unheard[fact["reference"]] = fact["at"]

    def _recall_delivered(self, fact: Mapping[str, Any]) -> None:
        self._by_event[fact["event"]].delivered[fact["event"]] += 1

    def _recall_mood(self, fact: Mapping[str, Any]) -> None:
        if fact["pace"]:
            self.pace = self.pace.changed(fact["pace"])
        self._moods = [mood for mood in self._moods if mood["reference"] != fact["reference"]]
        if fact["lies"]:
            self._moods.append(dict(fact))
        self._moods.sort(key=lambda mood: mood["reference"] is None)

    def _recall_mood_used(self, fact: Mapping[str, Any]) -> None:
        for mood in self._moods:
            if mood["id"] == fact["id"]:
                mood["times"] -= 1
        self._moods = [mood for mood in self._moods if mood["times"] != 0]

    def _recall_advanced(self, fact: Mapping[str, Any]) -> None:
        self._ahead_seconds += fact["seconds"]


def spoken(instant: float) -> str:
    """Write an instant as RFC 3339, UTC, milliseconds."""
    moment = datetime.fromtimestamp(instant, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refusal(status: int, code: str) -> Answer:
    return Answer(status, {"code": code})


def _callback(execution: Execution, news: News) -> JsonObject:
    """Write the body of one callback."""
    return {
        "id": news.id,
        "type": news.type,
        "occurred_at": spoken(news.occurred_at),
        "payment_id": execution.payment_id,
        "reference": execution.order["reference"],
        "amount_minor": execution.order["amount_minor"],
        "currency": execution.order["currency"],
        "reason": news.reason,
    }
