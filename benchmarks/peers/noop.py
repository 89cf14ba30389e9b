"""C: Celery's own pace: tasks that do nothing, prefork with two children, acknowledged late."""

import os
from typing import Final

from celery import Celery

QUEUE: Final = "noop"

app = Celery("noop", broker=os.environ["PEER_REDIS_URL"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_default_queue=QUEUE,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


@app.task(name="noop.noop")
def noop() -> None:
    """Do nothing."""
