"""The Celery application: Redis as a bell, beat as the walk-by. Truth lives in the database."""

from typing import Any

from celery import Celery, signals
from django.conf import settings
from django.db import close_old_connections

from audit.doorbell import answer

SECONDS = {
    "integrations.drain_inbox": 2.0,
    "transactions.carry_out_approvals": 5.0,
    "transactions.expire_holds": 15.0,
    "transactions.execute_scheduled": 5.0,
    "transactions.carry_out_batches": 5.0,
    "transactions.turn_freezes": 15.0,
    "integrations.send_payouts": 2.0,
    "integrations.ask_providers": 3.0,
    "transactions.roll_up": 5.0,
    "transactions.check_books": 300.0,
    "transactions.fold_limits": 1800.0,
    "accounts.let_go": 600.0,
    "audit.make_partitions": 24 * 3600.0,
}

app = Celery("countersign")
app.conf.update(
    broker_url=settings.DOORBELL_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=1,
    broker_transport_options={
        "visibility_timeout": 600,
        "unacked_restore_interval": 1,
        "socket_connect_timeout": 0.5,
        "socket_timeout": 5,
        # A bell that does not ring at once is not waited for: the walk-by comes anyway.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    },
    # Celery would hang up after every task; the settings say how long a connection is kept.
    CELERY_DB_REUSE_MAX=10_000,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=120,
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    beat_schedule={
        name: {"task": name, "schedule": seconds, "options": {"expires": max(seconds, 10.0)}}
        for name, seconds in SECONDS.items()
    },
)
app.set_default()
app.autodiscover_tasks(["audit", "accounts", "transactions", "integrations"])


@signals.worker_process_init.connect
def _forget_parents_connections(**_: object) -> None:
    """Open connections of its own in every child: a forked one would be shared."""
    from django.db import connections  # noqa: PLC0415 - Django must be set up first

    connections.close_all()


@signals.task_prerun.connect
def _answer_bell(task: Any, **_: object) -> None:
    """Let a task's bell ring again from the moment that it begins to look, on a sound line."""
    close_old_connections()
    answer(task.name)
