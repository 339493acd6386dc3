"""
How texts of the SDK look in the admin.
"""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


register = template.Library()


@register.filter
def with_commands(text: object) -> SafeString:
    """
    Code of *text*, which is between backticks, as such; a command is the one of
    the project.
    """
    parts = enumerate(str(text).split("`"))

    shown: SafeString = format_html_join(
        "", "{}", ((_code(part) if index % 2 else part,) for index, part in parts)
    )
    return shown


def _code(text: str) -> SafeString:
    command = f"python manage.py {text}" if text.startswith("conexxus ") else text

    code: SafeString = format_html("<code>{}</code>", command)
    return code
