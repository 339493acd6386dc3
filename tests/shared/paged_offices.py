"""
A back office that answers bare arrays in pages, each with a tag of its own.
"""

import hashlib
import json
from contextlib import contextmanager
from typing import NamedTuple

from conexxus_client import ClientConfig, ConexxusClient, Headers


class Said(NamedTuple):
    """
    An answer; a `Reply`, too.
    """

    status: int
    fields: list
    body: bytes

    @property
    def headers(self):
        return Headers(self.fields)

    def chunks(self):
        yield self.body


class PagedOffice:
    """
    Pages by `Link`.

    Attributes:
        asked: The requests so far, as number of the page and condition.
        names_next: Whether a 304 repeats its `Link`.
        tag: Of every page, instead of that of its body.
    """

    def __init__(self, catalog=(), *, page_size=100):
        self.catalog = list(catalog)
        self.page_size = page_size
        self.asked = []
        self.names_next = True
        self.tag = None
        self.total = None
        self.link = "/api/v1/inventory/items?page={}"

    def answer(self, url, condition):
        number = int(url.partition("page=")[2] or 0)
        self.asked.append((number, condition is not None))
        start = number * self.page_size
        page = self.catalog[start : start + self.page_size]
        body = json.dumps(page if self.total is None else self._envelope(page)).encode()
        tag = self.tag or f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        link = []
        if start + self.page_size < len(self.catalog):
            link = [("Link", f'<{self.link.format(number + 1)}>; rel="next"')]
        if condition == tag:
            return Said(304, [("ETag", tag), *(link if self.names_next else [])], b"")
        return Said(200, [("ETag", tag), *link], body)

    def _envelope(self, page):
        return {"success": True, "data": page, "total": len(self.catalog)}


class Wire:
    """
    A transport whose other end is an office.
    """

    def __init__(self, office):
        self.office = office

    @contextmanager
    def open(self, request, limits):
        yield self.office.answer(request.url, dict(request.headers).get("If-None-Match"))

    def close(self):
        pass


def client_of(office, *, url="http://127.0.0.1:9", **options):
    config = ClientConfig(api_url=url, api_key="sandbox-key", retries=0)
    return ConexxusClient(config, transport=Wire(office), **options)
