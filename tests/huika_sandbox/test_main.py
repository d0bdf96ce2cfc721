import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from huika_sandbox.__main__ import main


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def process(port, keys, tmp_path):
    arguments = ["all", "--port", str(port), "--data", tmp_path, "--keys", keys, "--faults", tmp_path / "faults.json"]
    started = subprocess.Popen([sys.executable, "-m", "huika_sandbox", *map(str, arguments)], stderr=subprocess.DEVNULL)
    yield started
    started.kill()
    started.wait(10)


def wait_for(port, up):
    deadline = time.monotonic() + 15
    while True:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=2)
            answered = answer.status_code == 200
        except httpx.HTTPError:
            answered = False
        if answered is up:
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_serves_on_loopback_alone_and_stops_when_told(process, port):
    wait_for(port, up=True)
    message = {"to": "13800138000", "template": "t", "body": "你好", "reference": "r"}
    assert httpx.post(f"http://127.0.0.1:{port}/sms/messages", json=message, trust_env=False).status_code == 200
    # 127.0.0.2 is this machine too: a server on all addresses would answer there.
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=2):
        pass
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    wait_for(port, up=False)


def test_a_killed_supervisor_leaves_no_worker_behind(process, port):
    wait_for(port, up=True)
    os.kill(process.pid, signal.SIGKILL)
    wait_for(port, up=False)


def test_keys_are_made_and_made_again_to_no_effect(keys, tmp_path):
    for path in keys.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert main(["keys", "--out", str(tmp_path)]) == 0
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {path.read_bytes() for path in keys.iterdir()}


def test_keys_that_do_not_fit_stop_it_before_it_serves(tmp_path, capsys, port):
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "wallet_platform_private.pem").write_text("nonsense")
    assert main(["all", "--port", str(port), "--data", str(tmp_path), "--faults", str(tmp_path / "f")]) == 2
    assert "wallet_platform_private.pem" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["shop"], ["all"], ["all", "--port", "0", "--data", "d", "--faults", "f"]])
def test_bad_command_lines_are_refused(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
