"""Have the demo issuer of the running `make up` sell a card: `python tools/demo_card.py [kind] [yuan]`.

Prints number and PIN, and keeps pictures of both sides for the courier's page. Invented cards only.
"""

import base64
import json
import secrets
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
PREFIX = {"walmart": "2326"}


def main() -> int:
    """Issue and draw one card; exit 1 when nothing runs."""
    kind, yuan = (sys.argv[1:] + ["walmart", "500"][len(sys.argv) - 1 :])[:2]
    running = sorted(ROOT.glob("var/up/*/addresses.json"), key=lambda p: p.stat().st_mtime)
    if not running:
        print("nothing runs here: make up first", file=sys.stderr)
        return 1
    sandbox = json.loads(running[-1].read_text())["sandbox"]
    token = (running[-1].parent / "keys" / "sandbox" / "issuer_token").read_text().strip()
    number = PREFIX.get(kind, "9") + "".join(secrets.choice("0123456789") for _ in range(15))
    pin, fen = "".join(secrets.choice("0123456789") for _ in range(6)), int(yuan) * 100
    card = {
        "kind": kind,
        "number": number,
        "pin": pin,
        "face_value_fen": fen,
        "balance_fen": fen,
        "behaviour": "normal",
    }
    sold = httpx.post(f"{sandbox}/issuer/cards", headers={"Authorization": f"Bearer {token}"}, json=card)
    sold.raise_for_status()
    folder = ROOT / "var" / "demo-cards"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        "design": "lanhu",
        "title": "演示卡",
        "number": number,
        "face_value_fen": fen,
        "pin": pin,
        "difficulty": 0.0,
    }
    for seed, side in enumerate(("front", "back")):
        answer = httpx.post(f"{sandbox}/pictures", json={**drawn, "side": side, "seed": seed})
        answer.raise_for_status()
        (folder / f"{number}-{side}.jpg").write_bytes(base64.b64decode(answer.json()["jpeg"]))
    print(f"{kind} {yuan} 元 · 卡号 number {number} · 密码 PIN {pin} · 照片 pictures var/demo-cards/{number}-*.jpg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
