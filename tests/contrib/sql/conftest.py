from host_databases import engine  # noqa: F401 - a fixture
