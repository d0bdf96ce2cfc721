"""The frame in which number and PIN are typed: a page of the vault's own origin that the platform's pages embed.

What page and frame say to each other stands at the head of static/frame.js.
"""

import html
from collections.abc import Sequence
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent
VIEWS = ("care", "care-30")
TITLES = {"zh": "密码保险箱", "en": "PIN vault"}


def policy(sites: Sequence[str]) -> str:
    """The page's Content-Security-Policy: own files and own calls alone, framed by `sites` alone."""
    rules = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "frame-ancestors " + (" ".join(sites) or "'none'"),
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    ]
    return "; ".join(rules)


class Files(StaticFiles):
    """The frame's scripts and looks. They hold no secret, so a browser may keep them if it asks each time (ETag)."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def routes(sites: Sequence[str]) -> list[BaseRoute]:
    """The page and its files; pages of `sites` (origins) may embed it."""
    page = Template((FOLDER / "frame.html").read_text(encoding="utf-8"))
    headers = {"Content-Security-Policy": policy(sites)}

    async def frame(request: Request) -> Response:
        language = "en" if request.query_params.get("lang") == "en" else "zh"
        view = request.query_params.get("view", "")
        text = page.substitute(
            lang="zh-CN" if language == "zh" else "en",
            view=view if view in VIEWS else "",
            title=TITLES[language],
            sites=html.escape(" ".join(sites)),
        )
        return HTMLResponse(text, headers=headers)

    return [
        Route("/frame", frame, methods=["GET"]),
        Mount("/static", Files(directory=FOLDER / "static")),
    ]
