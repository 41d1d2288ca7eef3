"""Production does not start while the frame of the public pages has a gap."""

import re

from django.conf import settings
from django.core.checks import Error, register

FORMATS = {
    "site_code": (r"(\d{10}|bm\d{8})", "ten digits, or bm and eight digits"),
    "party_mark": (r"[0-9A-Fa-f]{32}", "32 hexadecimal digits"),
    "site_domain": (r"[a-z0-9.-]+", "a domain without scheme"),
}
VARIABLES = {
    "site_name": "SITE_NAME",
    "site_domain": "SITE_DOMAIN",
    "site_code": "SITE_ID_CODE",
    "party_mark": "SITE_PARTY_MARK",
    "icp": "SITE_ICP",
    "police": "SITE_POLICE",
    "organizer": "SITE_ORGANIZER",
    "undertaker": "SITE_UNDERTAKER",
    "contact": "SITE_CONTACT",
}


@register("frame")
def check_frame(app_configs=None, **kwargs) -> list[Error]:
    """The seven elements that are inspected on every page, with name and domain.

    Source: public-site.md, section 3. A wrong format is an error everywhere, a blank one only
    where `IS_FRAME_REQUIRED` says so.
    """
    found = []
    for name, variable in VARIABLES.items():
        value = settings.SITE_FRAME.get(name, "").strip()
        if not value:
            if settings.IS_FRAME_REQUIRED:
                found.append(
                    Error(f"{variable} is blank: it stands on every public page", id="cms.E001")
                )
        elif name in FORMATS and not re.fullmatch(FORMATS[name][0], value):
            found.append(Error(f"{variable} must be {FORMATS[name][1]}", id="cms.E002"))
    return found
