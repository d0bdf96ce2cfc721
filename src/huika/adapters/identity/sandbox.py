"""The sandbox's identity check."""

from huika.adapters.outbound import document, policy, sandbox
from huika.kit import canonical
from huika.kit.safe_http import NoAnswer, request


class SandboxIdentity:
    """Says whether a name and an identity number belong together."""

    def matches(self, name: str, id_number: str, reference: str) -> bool:
        """Raises NotSent, NoAnswer."""
        answer = request(
            "POST",
            sandbox("/identity/checks"),
            policy=policy(),
            headers={"content-type": "application/json"},
            content=canonical.dumps({"name": name, "id_number": id_number, "reference": reference}),
        )
        result = document(answer).get("result")
        if result not in ("match", "mismatch"):
            raise NoAnswer(f"status {answer.status}")
        return bool(result == "match")
