"""Sentences written elsewhere in English and shown to people: errors of the core, and msgspec's words on a field."""

import re
from typing import Final

from hostwright.web.i18n import gettext, marked

RAISED: Final = (
    marked("Something went wrong on our side. Nothing was changed."),
    marked("The request cannot be understood."),
    marked("Some fields need attention."),
    marked("Sign in to do this."),
    marked("You may not do this."),
    marked("There is nothing here."),
    marked("This cannot be done in the current state."),
    marked("Too many requests. Wait a moment and try again."),
    marked("This is not available right now. Nothing was changed. Try again in a moment."),
    marked("The request was refused."),
    marked("This address does not take that method."),
    marked("The request is too large."),
    marked("This page has been open too long. Reload it and try again. Nothing was changed."),
    marked("The name or the password is wrong."),
    marked("This account is disabled. Ask the company's support."),
    marked("Too many accounts were made from your network. Wait some minutes and try again."),
    marked("Too many pages are open at once. Close some of them."),
    marked("The form cannot be read: it is not text in UTF-8."),
    marked("This token is not valid. It may have been used, or be older than a day."),
    marked("This panel is set up already."),
    marked("Too many tries. Wait a moment and try again."),
    marked("Your password was changed from elsewhere meanwhile. This change was not made."),
)
"""The core knows no languages: these are listed so that catalogues have them, and translated where they are shown."""

FIELDS: Final = {
    "is required": marked("Fill this in."),
    "is taken": marked("This name is taken. Choose another."),
    "has an account already; sign in instead": marked("This address has an account already. Sign in instead."),
    "is too easy to guess": marked("This is too easy to guess. Use three or four words."),
    "must look like https://control.example.com": marked("Write it like https://control.example.com"),
    "is needed again for another address": marked("Enter the token again: the address is another one."),
    "is wrong": marked("This is not your present password."),
    "must differ from the present one": marked("This is your present password. Choose another."),
    "may not be empty or hold invisible characters": marked("Use letters that can be seen."),
    "must differ from your name and address": marked("Use something else than your name or address."),
}
"""What the API says of a field, as a sentence beside it."""

SHORTER: Final = re.compile(r"length >= (\d+)")
LONGER: Final = re.compile(r"length <= (\d+)")


def field_message(message: str) -> str:
    """What is wrong with a form's field, for people; a message that is not msgspec's is translated as it is."""
    if message in FIELDS:
        return gettext(FIELDS[message])
    if found := SHORTER.search(message):
        least = int(found[1])
        return gettext("Fill this in.") if least == 1 else gettext("Use at least %(n)s characters.", n=least)
    if found := LONGER.search(message):
        return gettext("Use at most %(n)s characters.", n=found[1])
    if "regex" in message:
        return gettext("This does not look right. Check it for characters that do not belong there.")
    return gettext(message)
