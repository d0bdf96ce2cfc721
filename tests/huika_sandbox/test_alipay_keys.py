import pytest
from alipay import DCAliPay
from cryptography import x509

from huika_sandbox.alipay_keys import alipay_keys, ensure
from huika_sandbox.keys import KeyFileError

FILES = (
    "alipay_root_private.pem",
    "alipay_root_cert.pem",
    "alipay_private.pem",
    "alipay_public_cert.pem",
    "alipay_app_private.pem",
    "alipay_app_cert.pem",
    "alipay.json",
)


@pytest.fixture
def copy(keys, tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes((keys / name).read_bytes())
    return tmp_path


def test_they_are_made_once_and_kept_from_others(copy, keys):
    before = {name: (copy / name).read_bytes() for name in FILES}
    ensure(copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert {(keys / name).stat().st_mode & 0o777 for name in FILES} == {0o600}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_serials_are_those_of_the_independent_sdk(keys):
    held = alipay_keys(keys)
    assert held.cert_sn == DCAliPay.get_cert_sn((keys / "alipay_public_cert.pem").read_text())
    assert held.app_cert_sn == DCAliPay.get_cert_sn((keys / "alipay_app_cert.pem").read_text())
    assert held.root_cert_sn == DCAliPay.get_root_cert_sn((keys / "alipay_root_cert.pem").read_text())
    assert len({held.cert_sn, held.app_cert_sn, held.root_cert_sn}) == 3
    assert held.partner.startswith("2088")
    root = x509.load_pem_x509_certificate((keys / "alipay_root_cert.pem").read_bytes())
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("alipay_public_cert.pem", "alipay_app_cert.pem"),
        ("alipay_app_cert.pem", "alipay_root_cert.pem"),
        ("alipay_app_private.pem", "alipay_private.pem"),
        ("alipay_private.pem", "alipay_root_cert.pem"),
        ("alipay_root_cert.pem", "alipay_app_cert.pem"),
        ("alipay.json", "alipay_app_cert.pem"),
    ],
)
def test_files_that_do_not_fit_are_refused(copy, name, other):
    (copy / name).write_bytes((copy / other).read_bytes())
    with pytest.raises(KeyFileError, match="alipay"):
        ensure(copy)


def test_a_certificate_of_another_root_is_refused(copy):
    (copy / "alipay_root_private.pem").unlink()
    (copy / "alipay_root_cert.pem").unlink()
    with pytest.raises(KeyFileError, match="not signed"):
        ensure(copy)
