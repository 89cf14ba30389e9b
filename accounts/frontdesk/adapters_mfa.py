"""allauth's second factors, made strict: the last one stays."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from accounts.frontdesk.second_factor import STRONG


class StaffMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What allauth asks about second factors. Seeds are sealed by `crypto.seeds`, not here."""

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Allow it only where another strong one remains."""
        if authenticator.type not in STRONG:
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=STRONG)
        return bool(others.exclude(pk=authenticator.pk).exists())
