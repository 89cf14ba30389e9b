"""How personal data looks to those who may not read it. Pure."""

from typing import Final

DOT: Final = "•"


def mask_name(name: str) -> str:
    """Return each word's first letter and three dots: `Ada Lovelace` -> `A••• L•••`."""
    return " ".join(f"{word[0]}{DOT * 3}" for word in name.split()) or DOT * 3


def mask_email(email: str) -> str:
    """Return the first letter and the last part of the domain: `a•••@•••.example`."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}{DOT * 3}@{DOT * 3}.{domain.rpartition('.')[2]}"


def mask_iban(iban: str) -> str:
    """Return country and last four: `DE•• •••• 3000`."""
    return f"{iban[:2]}{DOT * 2} {DOT * 4} {iban[-4:]}"


MASKS: Final = {"name": mask_name, "email": mask_email, "iban": mask_iban}
