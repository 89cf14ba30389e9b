"""D: the usual way: REST framework, token in the database, serializer, O, audit and key rows."""

import json
import sys
from hashlib import sha256
from typing import Any, ClassVar, Final, cast

from django.db import models, transaction
from django.urls import path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.peers.orm import Account, Key, Transfer, move, set_up

SECRET: Final = "peer-token"  # noqa: S105 - opens nothing else


class Token(models.Model):
    """A caller's token, hashed."""

    hash = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=40)
    is_active = models.BooleanField(default=True)
    objects: ClassVar["models.Manager[Token]"] = models.Manager()

    class Meta:
        app_label = "peer"


class Audit(models.Model):
    """What somebody did."""

    actor = models.CharField(max_length=40)
    action = models.CharField(max_length=40)
    target = models.CharField(max_length=60)
    facts = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar["models.Manager[Audit]"] = models.Manager()

    class Meta:
        app_label = "peer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`, looked up in the database."""

    def authenticate(self, request: Request) -> tuple[None, Token]:
        """Return the token."""
        secret = get_authorization_header(request).removeprefix(b"Bearer ")
        token = Token.objects.filter(hash=sha256(secret).hexdigest(), is_active=True).first()
        if token is None:
            raise AuthenticationFailed
        return None, token


class IsKnown(BasePermission):
    """Lets holders of a token through."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether there is one."""
        del view
        return isinstance(request.auth, Token)


class TransferForm(serializers.Serializer[Any]):
    """An instruction to move money."""

    source_account = serializers.PrimaryKeyRelatedField(queryset=Account.objects.all())
    destination_account = serializers.PrimaryKeyRelatedField(queryset=Account.objects.all())
    amount_minor = serializers.IntegerField(min_value=1)
    currency = serializers.ChoiceField(["EUR"])


class TransferShape(serializers.ModelSerializer[Transfer]):
    """A transfer as it is answered."""

    class Meta:
        model = Transfer
        fields = ["id", "payer", "payee", "amount", "created_at"]


class TransferView(APIView):
    """`POST /v1/transfers`."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [IsKnown]

    def post(self, request: Request) -> Response:
        """Move money once for its key."""
        form = TransferForm(data=request.data)
        form.is_valid(raise_exception=True)
        key = request.headers["Idempotency-Key"]
        used = Key.objects.filter(key=key).select_related("transfer").first()
        transfer = used.transfer if used else self._move(form.validated_data, key=key)
        return Response(TransferShape(transfer).data, status=201)

    def _move(self, order: dict[str, Any], *, key: str) -> Transfer:
        caller = cast("Any", self.request.auth)
        with transaction.atomic():
            transfer = move(
                order["source_account"].pk,
                order["destination_account"].pk,
                amount=order["amount_minor"],
                key=key,
            )
            Audit.objects.create(
                actor=caller.name,
                action="transfer.posted",
                target=str(transfer.pk),
                facts={"amount": transfer.amount},
            )
        return transfer


def main(accounts: int) -> None:
    """Set up, and print the token and the accounts' ids."""
    set_up(accounts, Token, Audit)
    Token.objects.create(hash=sha256(SECRET.encode()).hexdigest(), name="bench")
    ids = list(Account.objects.values_list("pk", flat=True))
    sys.stdout.write(json.dumps({"token": SECRET, "accounts": ids}))


urlpatterns = [path("v1/transfers", TransferView.as_view())]
