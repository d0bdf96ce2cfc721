"""Why the vault refuses."""

from huika.kit.refusals import Refusal


class VaultRefused(Refusal):
    code, status = "vault_refused", 409
    zh, en = "保险箱没有办：{vault_code}", "The vault refused: {vault_code}"
