"""Every page there is, found in the URL configuration, each with an address and somebody who may see it."""

import inspect
import itertools
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from tests.faces import ways
from tests.faces.built import Built

from huika.domain.parties.types import Role

_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_TRIES, _FURTHER = 400, 8  # addresses tried until one shows the page, and for its other shapes
EVERYBODY = (None, Role.SELLER, Role.COURIER, Role.DESK, Role.RECYCLER, Role.REGULATOR)
# What a page's shape is made of: tags and classes, not words. Orders in other states have other shapes.
_SHAPE = re.compile(rb'<(\w+)(?:[^>]*? class="([^"]*)")?')


@dataclass(frozen=True)
class Route:
    """One pattern: its route with parameters, and its view."""

    route: str
    view: Callable[..., Any]
    converters: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def roles(self) -> tuple[Role | None, ...]:
        """Who may look: what `who.only` says, everybody otherwise."""
        found = getattr(self.view, "roles", None)
        return tuple(found) if found else EVERYBODY


@dataclass(frozen=True)
class Shown:
    """A page with an address, as somebody sees it."""

    route: str
    path: str
    role: Role | None
    desk: bool
    client: Client = field(hash=False, compare=False)


@dataclass
class Found:
    """Pages, downloads (path, role, content type), and what could not be reached."""

    pages: list[Shown] = field(default_factory=list)
    downloads: list[tuple[str, Role | None, str]] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)


def routes(patterns: Any = None, before: str = "") -> Iterator[Route]:
    """Every pattern of the URL configuration but the API's own, whose tests go by its OpenAPI document."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            if one.app_name != "ninja":
                yield from routes(one.url_patterns, before + _text(one))
        elif isinstance(one, URLPattern):
            text = before + _text(one)
            yield Route(text, one.callback, {name: kind or "str" for kind, name in _PARAMETER.findall(text)})


def _text(one: URLPattern | URLResolver) -> str:
    text = str(one.pattern)
    if isinstance(one.pattern, RoutePattern):
        return text
    return text.removeprefix("^").removesuffix("$").removesuffix(r"\Z")


def find(built: Built, shapes: int = 3) -> Found:
    """Look at every route; up to `shapes` pages of each that differ in shape."""
    found = Found()
    clients = {role: ways.client_of(built, role) for role in EVERYBODY}
    asked, asked.disabled = logging.getLogger("django.request"), True  # most of what is tried does not exist
    try:
        for route in routes():
            own = ways.CLIENTS.get(route.route)
            _look(built, route, {None: own(built)} if own else clients, shapes, found)
    finally:
        asked.disabled = False
    return found


def _look(built: Built, route: Route, clients: Mapping[Any, Any], shapes: int, found: Found) -> None:
    seen, told, role_of_it, left = set(), set(), None, _TRIES
    for role, path in _ways(built, route):
        if seen and role != role_of_it:
            continue  # who gets the page sees its other shapes, too
        left -= 1
        if left < 0 or len(seen) == shapes:
            break
        answer = _get(clients[role], path)
        if answer.status_code == 405:
            return  # nothing to look at: it is posted to
        told.add(f"{answer.status_code}{' to ' + answer['Location'] if 'Location' in answer else ''} as {role}")
        if answer.status_code != 200:
            continue
        kind = answer.get("Content-Type", "").partition(";")[0]
        if kind != "text/html" or "attachment" in answer.get("Content-Disposition", ""):
            found.downloads.append((path, role, kind))
            return
        body = answer.content
        if b"<html" not in body:
            return  # a part of a page, which a page fetches
        drawn = [path] if route.route in ways.DRAWN else []
        shape = hash((*drawn, *dict.fromkeys(_SHAPE.findall(body))))
        if not seen:
            role_of_it, left = role, _FURTHER
        if shape not in seen:
            seen.add(shape)
            desk = b'data-mode="desk"' in body
            found.pages.append(Shown(route.route, path, role, desk, clients[role]))
    if not seen and not _only_sends_on(route, told):
        found.unreached.append(f"/{route.route}: {sorted(told)[:6] or 'no value for its parameters: see ways.values'}")


def _ways(built: Built, route: Route) -> Iterator[tuple[Role | None, str]]:
    """Every value with every role that may look."""
    candidates = [ways.values(built, route.route, name, kind) for name, kind in route.converters.items()]
    for chosen in itertools.product(*candidates):
        path = "/" + route.route
        for name, value in zip(route.converters, chosen, strict=True):
            path = re.sub(rf"<(\w+:)?{name}>", lambda _, value=value: value, path)
        for role in (None,) if route.route in ways.CLIENTS else route.roles:
            yield role, path + ways.query(route.route)


def _get(client: Any, path: str) -> HttpResponseBase:
    on_files = {"HTTP_HOST": settings.FILES_ORIGIN.partition("://")[2]} if path.startswith("/kept/") else {}
    answer: HttpResponseBase = client.get(path, headers={"Accept": "text/html"}, **on_files)
    return answer


def _only_sends_on(route: Route, told: set[str]) -> bool:
    """A view that shows nothing itself but leads elsewhere: it answers with redirects, and renders nothing."""
    source = inspect.getsource(inspect.unwrap(route.view))
    return any(t.startswith("30") for t in told) and not re.search(r"render|page\(|narrow\(", source)
