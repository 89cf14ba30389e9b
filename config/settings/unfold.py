"""How the staff's pages look: Unfold's own settings, and nothing about who may do what."""

from typing import Any

from django.templatetags.static import static

PRIMARY = {
    "50": "oklch(97% .014 254.604)",
    "100": "oklch(93.2% .032 255.585)",
    "200": "oklch(88.2% .059 254.128)",
    "300": "oklch(80.9% .105 251.813)",
    "400": "oklch(70.7% .165 254.624)",
    "500": "oklch(62.3% .214 259.815)",
    "600": "oklch(54.6% .245 262.881)",
    "700": "oklch(48.8% .243 264.376)",
    "800": "oklch(42.4% .199 265.638)",
    "900": "oklch(37.9% .146 265.522)",
    "950": "oklch(28.2% .091 267.935)",
}

FORMAT_MODULE_PATH = ["config.formats"]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Countersign",
    "SITE_HEADER": "Countersign",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "verified_user",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("countersign/icon.svg"),
        }
    ],
    "SHOW_HISTORY": False,  # Django's own log; ours is the audit log
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": PRIMARY},
    "STYLES": [
        lambda _request: static("countersign/site.css"),
        lambda _request: static("countersign/trace.css"),
    ],
    "DASHBOARD_CALLBACK": "config.dashboard.home",
    "ACCOUNT": {
        "navigation": [
            {"title": "Second factor", "link": "/accounts/2fa/"},
            {"title": "My sessions", "link": "/accounts/sessions/"},
            {"title": "Change password", "link": "/accounts/password/change/"},
        ]
    },
    "COMMAND": {"search_models": False, "search_callback": "config.palette.found"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "config.navigation.sidebar",
    },
}
