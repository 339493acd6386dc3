"""
Pages of the admin for runs, outbox and quarantine: they show the store, and what an operator
decides is asked first.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from conexxus_client import ConexxusError
from conexxus_sync.service import ConexxusService
from conexxus_sync.views.text import headline, what_to_do

from . import _store_pages as pages
from ._process_service import get_service
from .models import Batch, Run, SetAside


class StoreAdmin(admin.ModelAdmin):
    """
    A list, a page for each of its rows, and a question before each action.

    To see them takes Django's permission to view the model, to act that to
    change it.
    """

    shown: ClassVar[pages.Pages]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        model = self.opts.model_name
        view = self.admin_site.admin_view

        return [
            path("", view(self.list_view), name=f"conexxus_{model}_changelist"),
            path("do/<slug:name>/", view(self.action_view), name=f"conexxus_{model}_start"),
            path(
                "<path:key>/do/<slug:name>/", view(self.action_view), name=f"conexxus_{model}_act"
            ),
            path("<path:key>/change/", view(self.row_view), name=f"conexxus_{model}_change"),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """
        What there is, latest first.
        """
        self._allow(request, self.has_view_permission)

        try:
            service = get_service()
            health = service.health()
            rows = [
                (self._address("change", it.key), zip(self.shown.columns, it.cells, strict=True))
                for it in self.shown.rows(service)
            ]
            values = {"headline": headline(health), "advice": what_to_do(health), "rows": rows}
        except ConexxusError as exc:
            values = {"headline": "The store can't be shown.", "advice": str(exc), "rows": []}

        title = str(self.opts.verbose_name_plural).capitalize()
        return self._page(
            request, "list", title, actions=self._links(request, self.shown.starts), **values
        )

    def row_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """
        All that is known of one row, and what can be done about it.
        """
        self._allow(request, self.has_view_permission)
        details = self._find(get_service(), unquote(key))

        return self._page(
            request,
            "details",
            details.title,
            details=details,
            actions=self._links(request, details.actions, key),
        )

    def action_view(self, request: HttpRequest, name: str, key: str = "") -> HttpResponse:
        """
        Ask whether it shall be done; do it when that was confirmed.
        """
        self._allow(request, self.has_change_permission)
        service = get_service()
        plain = unquote(key)
        details = self._find(service, plain) if key else None
        offered = details.actions if details else self.shown.starts
        action = next((it for it in offered if it.name == name), None)

        if action is None:
            messages.warning(request, "This can't be done any more: see what became of it.")
        elif request.method == "POST":
            self._do(request, action, service, plain)
        else:
            back = self._address("change", plain) if key else self._address("changelist")
            title = f"{action.label}?"
            return self._page(request, "confirm", title, action=action, back=back, details=details)

        return redirect(self._address("changelist"))

    def _do(
        self, request: HttpRequest, action: pages.Action, service: ConexxusService, key: str
    ) -> None:
        try:
            said = action.perform(service, key, f"by {request.user.get_username()} in the admin")
        except ConexxusError as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, said)
            if key:
                self.log_change(request, self.model(pk=key), action.label)

    def _find(self, service: ConexxusService, key: str) -> pages.Details:
        try:
            details = self.shown.details(service, key)
        except ConexxusError as exc:
            raise Http404(str(exc)) from exc
        if details is None:
            msg = "There is no such thing in the store any more."
            raise Http404(msg)

        return details

    def _links(
        self, request: HttpRequest, actions: Iterable[pages.Action], key: str = ""
    ) -> list[tuple[str, pages.Action]]:
        """
        The actions that this user may do, each with its address.
        """
        if not self.has_change_permission(request):
            return []

        return [
            (
                self._address("act", unquote(key), it.name)
                if key
                else self._address("start", it.name),
                it,
            )
            for it in actions
        ]

    def _address(self, name: str, *arguments: str) -> str:
        url = f"{self.admin_site.name}:conexxus_{self.opts.model_name}_{name}"
        first = quote(arguments[0]) if name in ("act", "change") else None

        address: str = reverse(url, args=[first, *arguments[1:]] if first else arguments)
        return address

    def _allow(self, request: HttpRequest, has: Callable[[HttpRequest], bool]) -> None:
        if not has(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, title: str, **values: object) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "columns": self.shown.columns,
            **values,
        }
        return TemplateResponse(request, f"admin/conexxus/{name}.html", context)


@admin.register(Run)
class RunAdmin(StoreAdmin):
    """
    The last pulls and pushes.
    """

    shown = pages.Runs()


@admin.register(Batch)
class BatchAdmin(StoreAdmin):
    """
    Sales that are not at the back office yet, or may be.
    """

    shown = pages.Outbox()


@admin.register(SetAside)
class SetAsideAdmin(StoreAdmin):
    """
    Items and sales that were set aside.
    """

    shown = pages.QuarantinePages()
