"""The staff's addresses. allauth's pages are named one by one: what is not here is not served.

Left out on purpose: sign-up, e-mail addresses, password reset, and taking a second factor off.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.usersessions import views as sessions
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import path
from django.views.generic import RedirectView

from accounts.frontdesk.second_factor import step_up
from config import health

# allauth sends people here who have an authenticator already; nobody takes one off by themselves.
to_factors = RedirectView.as_view(pattern_name="mfa_index", query_string=False)

urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("", RedirectView.as_view(pattern_name="admin:index", query_string=False), name="home"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/signup/", account.signup, name="account_signup"),
    path("accounts/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path(
        "accounts/password/change/",
        login_required(step_up(account.password_change)),
        name="account_change_password",
    ),
    path("accounts/2fa/", mfa.index, name="mfa_index"),
    path("accounts/2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("accounts/2fa/totp/deactivate/", to_factors, name="mfa_deactivate_totp"),
    path(
        "accounts/2fa/recovery-codes/",
        recovery.view_recovery_codes,
        name="mfa_view_recovery_codes",
    ),
    path(
        "accounts/2fa/recovery-codes/generate/",
        recovery.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path("accounts/sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("admin/", admin.site.urls),
]
