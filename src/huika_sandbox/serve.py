"""Serving the sandbox: one granian worker, on this machine's loopback alone."""

import json
import logging
import os
import threading
import time
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces
from starlette.applications import Starlette

from .app import build

ADDRESS = "127.0.0.1"
_SETTINGS = "HUIKA_SANDBOX_SETTINGS"


def serve(names: list[str], port: int, data: Path, keys: Path, *, faults_file: Path) -> None:
    """Serve the named counterparties on a port of 127.0.0.1 until told to stop by SIGTERM or SIGINT."""
    settings = {"names": names, "data": str(data), "keys": str(keys), "faults": str(faults_file), "parent": os.getpid()}
    os.environ[_SETTINGS] = json.dumps(settings)
    Granian(
        "huika_sandbox.serve:application",
        address=ADDRESS,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        factory=True,
        websockets=False,
        log_access=False,
    ).serve()


def application() -> Starlette:
    """The application, made in the worker from what `serve` left in the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # At INFO httpx writes a line for every callback.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = json.loads(os.environ[_SETTINGS])
    threading.Thread(target=_follow, args=(settings["parent"],), daemon=True).start()
    return build(settings["names"], Path(settings["data"]), Path(settings["keys"]), Path(settings["faults"]))


def _follow(parent: int) -> None:
    # A worker whose supervisor was killed outright would hold the port for ever.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
