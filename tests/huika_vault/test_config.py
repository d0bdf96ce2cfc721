"""What a start needs, and that each thing missing or wrong is named."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from huika_vault.config import ConfigProblem, read
from huika_vault.keys import FileKeys


@pytest.fixture
def env(tmp_path):
    FileKeys.create(tmp_path / "keys.json")
    public = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    (tmp_path / "signers.json").write_text(json.dumps({"platform-1": public}))
    (tmp_path / "token").write_text("issuer-secret\n")
    return {
        "HUIKA_SETTING": "demo",
        "HUIKA_VAULT_URL": "postgresql://vault:db-password@127.0.0.1/huika",
        "HUIKA_VAULT_KEYS": str(tmp_path / "keys.json"),
        "HUIKA_VAULT_CAPABILITY_KEYS": str(tmp_path / "signers.json"),
        "HUIKA_ISSUER_URL": "http://127.0.0.1:8010/issuer",
        "HUIKA_ISSUER_TOKEN": str(tmp_path / "token"),
        "HUIKA_VAULT_ORIGIN": "http://vault.localhost:8001",
    }


def test_a_demo_is_read_and_prints_no_secret(env):
    config = read(env)
    assert (config.demo, config.issuer_token, set(config.signers)) == (True, "issuer-secret", {"platform-1"})
    assert "issuer-secret" not in repr(config) and "db-password" not in repr(config)


def test_an_issuer_is_optional(env):
    del env["HUIKA_ISSUER_URL"], env["HUIKA_ISSUER_TOKEN"]
    assert read(env).issuer_url == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HUIKA_SETTING", "", "demo or production"),
        ("HUIKA_SETTING", "Demo", "demo or production"),
        ("HUIKA_SETTING", "production", "a key file is for a demo"),
        ("HUIKA_VAULT_URL", "", "HUIKA_VAULT_URL"),
        ("HUIKA_VAULT_KEYS", "", "HUIKA_VAULT_KEYS"),
        ("HUIKA_VAULT_KEYS", "kms:a/b", "no such key provider: kms"),
        ("HUIKA_VAULT_KEYS", "/nowhere/keys", "HUIKA_VAULT_KEYS"),
        ("HUIKA_VAULT_CAPABILITY_KEYS", "/nowhere", "HUIKA_VAULT_CAPABILITY_KEYS"),
        ("HUIKA_ISSUER_URL", "ftp://x", "HUIKA_ISSUER_URL"),
        ("HUIKA_ISSUER_TOKEN", "", "HUIKA_ISSUER_TOKEN"),
        ("HUIKA_ISSUER_TOKEN", "/nowhere", "HUIKA_ISSUER_TOKEN"),
        ("HUIKA_SITE_URL", "localhost:8000", "HUIKA_SITE_URL"),
        ("HUIKA_SITE_URL", "http://localhost:8000, *", "HUIKA_SITE_URL"),
        ("HUIKA_SITE_URL", "https://a.example; script-src *", "HUIKA_SITE_URL"),
        ("HUIKA_SITE_URL", "https://user@a.example", "HUIKA_SITE_URL"),
    ],
)
def test_each_wrong_setting_is_named(env, name, value, said):
    with pytest.raises(ConfigProblem, match=said):
        read(env | {name: value})


def test_the_pages_that_may_embed_the_frame_are_a_list(env):
    assert read(env).sites == ()
    given = "http://localhost:8000/, https://192.168.1.5:8443/order/1"
    assert read(env | {"HUIKA_SITE_URL": given}).sites == ("http://localhost:8000", "https://192.168.1.5:8443")


@pytest.mark.parametrize("given", ["", "http://huika.example", "https://huika.example, http://localhost:8000"])
def test_production_needs_https_sites(env, monkeypatch, given):
    monkeypatch.setattr("huika_vault.config.key_store", lambda *_, **__: None)
    monkeypatch.setattr("huika_vault.config.check_issuer_url", lambda *_, **__: "")
    production = env | {"HUIKA_SETTING": "production", "HUIKA_SITE_URL": given}
    with pytest.raises(ConfigProblem, match="HUIKA_SITE_URL"):
        read(production)
    assert read(production | {"HUIKA_SITE_URL": "https://huika.example"}).sites == ("https://huika.example",)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"a": 1}', '{"a": "AAAA"}', '{"a": "?"}', "null"])
def test_capability_keys_must_be_keys(env, tmp_path, text):
    (tmp_path / "signers.json").write_text(text)
    with pytest.raises(ConfigProblem, match="HUIKA_VAULT_CAPABILITY_KEYS"):
        read(env)


@pytest.mark.parametrize("text", ["", "  \n", "a\nb", "密"])
def test_a_token_is_one_line_of_ascii(env, tmp_path, text):
    (tmp_path / "token").write_text(text)
    with pytest.raises(ConfigProblem, match="HUIKA_ISSUER_TOKEN"):
        read(env)
