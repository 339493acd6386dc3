#!/usr/bin/env python
"""
A shop in Django, connected to a back office.

    pip install 'conexxus-sdk[cli,django]'
    export CONEXXUS_API_URL=https://back-office.example CONEXXUS_API_KEY=secret
    python manage.py migrate
    python manage.py createsuperuser
    python manage.py conexxus doctor
    python manage.py conexxus run &
    python manage.py runserver
"""

import os
import sys


def main() -> None:
    """
    Run one command of Django.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
