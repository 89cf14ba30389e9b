"""V: a plain Django view with one INSERT: the least that a durable POST can cost."""

import json
from typing import Final

import psycopg
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

TABLE: Final = """
    CREATE TABLE plain_row (
        id uuid PRIMARY KEY DEFAULT uuidv7(), source text NOT NULL, destination text NOT NULL,
        amount bigint NOT NULL, currency text NOT NULL, created_at timestamptz DEFAULT now()
    )
"""
INSERT: Final = """
    INSERT INTO plain_row (source, destination, amount, currency) VALUES (%s, %s, %s, %s)
    RETURNING id
"""
FIELDS: Final = ("source_account", "destination_account", "amount_minor", "currency")


@csrf_exempt
def post(request: HttpRequest) -> JsonResponse:
    """Insert one row and answer its id."""
    body = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [body[name] for name in FIELDS])
        (made,) = cursor.fetchone()
    return JsonResponse({"id": str(made)}, status=201)


def set_up(address: str) -> None:
    """Make the table."""
    with psycopg.connect(address) as server:
        server.execute(TABLE)


urlpatterns = [path("v1/transfers", post)]
