import json
import threading

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from huika_sandbox.keys import KeyFileError, custodian_keys, ensure, issuer_token, random_key, serial, wallet_keys

NAMES = {
    *(
        f"{name}_{half}.pem"
        for name in ("wallet_platform", "merchant", "custodian", "operator")
        for half in ("private", "public")
    ),
    "wallet_apiv3_key",
    "issuer_token",
    "merchant.json",
    *(f"alipay_{name}.pem" for name in ("root_private", "root_cert", "private", "public_cert")),
    *(f"alipay_{name}.pem" for name in ("app_private", "app_cert")),
    "alipay.json",
    *(f"{name}_{half}.pem" for name in ("bank", "ecny", "recyclers") for half in ("private", "public")),
    *(f"{name}.json" for name in ("bank", "ecny")),
}


@pytest.fixture
def copy(keys, tmp_path):
    for path in keys.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_all_files_are_made_and_kept_from_others(keys):
    assert {path.name for path in keys.iterdir()} == NAMES
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    private = load_pem_private_key((keys / "wallet_platform_private.pem").read_bytes(), None)
    assert private.key_size == 2048
    merchant = json.loads((keys / "merchant.json").read_text())
    assert set(merchant) == {"mchid", "appid", "merchant_serial", "platform_serial"}
    assert merchant["platform_serial"] == serial(private.public_key())
    assert len(wallet_keys(keys).apiv3_key) == 32
    assert len(issuer_token(keys)) >= 32


def test_a_second_call_changes_nothing(copy):
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    ensure(copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_what_is_missing_is_made_anew_and_the_rest_kept(copy):
    public = (copy / "operator_public.pem").read_bytes()
    token = (copy / "issuer_token").read_bytes()
    (copy / "operator_public.pem").unlink()
    (copy / "issuer_token").unlink()
    ensure(copy)
    assert (copy / "operator_public.pem").read_bytes() == public
    assert (copy / "issuer_token").read_bytes() != token


def test_two_who_make_them_at_once_agree(tmp_path):
    seen = []

    def make():
        seen.append(random_key(tmp_path / "key"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("merchant_public.pem", b"nonsense"),
        ("wallet_platform_private.pem", b""),
        ("wallet_apiv3_key", b"short"),
        ("issuer_token", b"short"),
        ("merchant.json", b"{"),
        ("merchant.json", b"[]"),
        ("merchant.json", b'{"mchid": "1"}'),
    ],
)
def test_spoilt_files_are_refused(copy, name, content):
    (copy / name).write_bytes(content)
    with pytest.raises(KeyFileError, match=name.split(".")[0].removesuffix("_public")):
        ensure(copy)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("merchant_public.pem", "wallet_platform_public.pem"),
        ("merchant_public.pem", "operator_public.pem"),
        ("operator_public.pem", "custodian_public.pem"),
        ("custodian_private.pem", "merchant_private.pem"),
        ("wallet_platform_private.pem", "custodian_private.pem"),
    ],
)
def test_keys_that_do_not_fit_are_refused(copy, name, other):
    (copy / name).write_bytes((copy / other).read_bytes())
    with pytest.raises(KeyFileError):
        ensure(copy)


def test_readers_refuse_missing_and_other_keys(copy):
    (copy / "merchant_public.pem").write_bytes((copy / "operator_public.pem").read_bytes())
    with pytest.raises(KeyFileError, match="merchant_public"):
        wallet_keys(copy)
    (copy / "custodian_private.pem").unlink()
    with pytest.raises(KeyFileError, match="custodian_private"):
        custodian_keys(copy)
