from django_site import alias  # noqa: F401 - a fixture
