"""The identity check: whether a name and an identity number belong together."""

from pathlib import Path

from starlette.routing import Route

from . import fields
from .faults import FaultBook
from .store import Store, fingerprint
from .web import Answer, Call, Counterparty

SCHEMA = """
CREATE TABLE IF NOT EXISTS registered (id_number TEXT PRIMARY KEY, name TEXT NOT NULL);
"""


class Identity(Counterparty):
    """Knows each number under the first name it was asked with: a second name for the same number does not match."""

    name = "identity"

    def __init__(self, data: Path, faults: FaultBook) -> None:
        super().__init__(faults)
        self._store = Store(data / "identity.sqlite3", SCHEMA)

    def routes(self) -> list[Route]:
        return [self.route("POST", "/checks", self.check), self.elsewhere()]

    def close(self) -> None:
        self._store.close()

    def check(self, call: Call) -> Answer:
        document = call.document()
        fields.only(document, "name", "id_number", "reference")
        name, number = fields.text(document, "name", 40), fields.text(document, "id_number", 18)
        reference = fields.reference(document, "reference")

        def work() -> Answer:
            self._store.run("INSERT INTO registered VALUES (?, ?) ON CONFLICT DO NOTHING", number, name)
            known = self._store.all("SELECT name FROM registered WHERE id_number = ?", number)[0]["name"]
            return Answer(200, {"result": "match" if known == name else "mismatch"})

        return self._store.answer_once(reference, fingerprint(document), work)
