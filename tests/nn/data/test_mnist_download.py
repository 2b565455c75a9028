"""The download of MNIST into the cache."""

import gzip
import hashlib
import http.server
import signal
import socket
import sys
import threading

import numpy as np
import pytest

from nn.data import DownloadError, read_idx
from nn.data.mnist import _CHECKSUMS, _cache_folder, _download, _from_cache

from .idx import idx

NAME = "t10k-labels-idx1-ubyte.gz"
RAW = idx(np.arange(200, dtype="u1"))
GOOD = gzip.compress(RAW)
CHECKSUM = hashlib.sha256(RAW).hexdigest()


class Mirrors(http.server.ThreadingHTTPServer):
    """An HTTP server on 127.0.0.1; the first part of the path says how it serves the one file."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.requests = []

    def __getitem__(self, behaviour):
        return f"http://127.0.0.1:{self.server_port}/{behaviour}/"


class MirrorHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        behaviour, name = self.path.strip("/").split("/")
        self.server.requests.append((behaviour, name))
        getattr(self, behaviour)()

    def send(self, body, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        self.send(GOOD)

    def raw(self):
        self.send(RAW)

    def unannounced(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GOOD)

    def cut(self):
        self.send(GOOD[:20], length=len(GOOD))

    def cut_unannounced(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GOOD[:20])

    def wrong(self):
        self.send(gzip.compress(RAW + b"\0"))

    def page(self):
        self.send(b"<html>Log in to the network</html>")

    def absent(self):
        self.send_error(404)

    def nonsense(self):
        self.wfile.write(b"nonsense\r\n\r\n")

    def interrupt(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n" + GOOD[:20])
        self.wfile.flush()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        self.rfile.read(1)  # until the client hangs up

    def log_message(self, *_):
        pass


@pytest.fixture
def mirrors(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Mirrors() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


FAILURES = {
    "cut": r"bytes",
    "cut_unannounced": "corrupt or truncated gzip data",
    "wrong": f"SHA-256 of the raw bytes is [0-9a-f]{{64}}; expected {CHECKSUM}",
    "page": "SHA-256",
    "absent": "HTTP Error 404",
    "nonsense": "nonsense",
}


@pytest.mark.parametrize("behaviour", ["good", "raw", "unannounced"])
def test_a_download_puts_the_file_into_the_folder(mirrors, tmp_path, behaviour):
    folder = tmp_path / "new" / "cache"
    assert _download(NAME, CHECKSUM, [mirrors[behaviour]], folder) == RAW
    assert [path.name for path in folder.iterdir()] == [NAME]
    np.testing.assert_array_equal(read_idx(folder / NAME), np.arange(200))


@pytest.mark.parametrize("behaviour", FAILURES)
def test_the_next_mirror_serves_when_the_first_fails(mirrors, tmp_path, behaviour):
    assert _download(NAME, CHECKSUM, [mirrors[behaviour], mirrors["good"]], tmp_path) == RAW
    assert mirrors.requests == [(behaviour, NAME), ("good", NAME)]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("behaviour", FAILURES)
def test_a_failing_download_leaves_no_file(mirrors, tmp_path, behaviour):
    with pytest.raises(DownloadError, match=f"{mirrors[behaviour]}{NAME}: .*{FAILURES[behaviour]}"):
        _download(NAME, CHECKSUM, [mirrors[behaviour]], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_error_lists_every_mirror_and_says_what_to_do(mirrors, tmp_path):
    with pytest.raises(DownloadError) as caught:
        _download(NAME, CHECKSUM, [mirrors["absent"], mirrors["wrong"]], tmp_path)
    first, absent, wrong, advice = str(caught.value).splitlines()
    assert first == f"no mirror delivered {NAME}:"
    assert absent.strip() == f"{mirrors['absent']}{NAME}: HTTP Error 404: Not Found"
    assert wrong.strip().startswith(f"{mirrors['wrong']}{NAME}: ")
    assert "set AUTOGRAD_LITE_MNIST" in advice
    assert all(name in advice for name in _CHECKSUMS)


def test_a_mirror_that_does_not_answer_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        mirror = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DownloadError, match=f"{mirror}{NAME}: .*refused"):
            _download(NAME, CHECKSUM, [mirror], tmp_path)


def test_a_failing_download_leaves_an_existing_file_alone(mirrors, tmp_path):
    (tmp_path / NAME).write_bytes(GOOD)
    with pytest.raises(DownloadError):
        _download(NAME, CHECKSUM, [mirrors["cut"], mirrors["wrong"]], tmp_path)
    assert (tmp_path / NAME).read_bytes() == GOOD
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.skipif(sys.platform == "win32", reason="signals a thread")
def test_an_interrupted_download_leaves_no_file_and_asks_no_other_mirror(mirrors, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        _download(NAME, CHECKSUM, [mirrors["interrupt"], mirrors["good"]], tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert [behaviour for behaviour, _ in mirrors.requests] == ["interrupt"]


def test_a_file_that_cannot_be_put_in_place_leaves_no_temporary_one(mirrors, tmp_path):
    (tmp_path / NAME / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=NAME) as caught:
        _download(NAME, CHECKSUM, [mirrors["good"], mirrors["good"]], tmp_path)
    assert not isinstance(caught.value, DownloadError)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert len(mirrors.requests) == 1


# The cache


def test_a_good_file_in_the_cache_asks_no_mirror(mirrors, tmp_path):
    (tmp_path / NAME).write_bytes(GOOD)
    assert _from_cache(NAME, CHECKSUM, [mirrors["good"]], tmp_path) == (tmp_path / NAME, RAW)
    assert mirrors.requests == []


@pytest.mark.parametrize("present", [None, b"", GOOD[:-9], gzip.compress(RAW[:-1] + b"\0"), b"\0" * 30])
def test_a_missing_or_corrupt_file_in_the_cache_is_downloaded(mirrors, tmp_path, present):
    if present is not None:
        (tmp_path / NAME).write_bytes(present)
    assert _from_cache(NAME, CHECKSUM, [mirrors["good"]], tmp_path) == (tmp_path / NAME, RAW)
    assert (tmp_path / NAME).read_bytes() == GOOD


def test_the_cache_is_where_xdg_cache_home_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _cache_folder() == tmp_path / "autograd_lite" / "mnist"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these have places of their own")
def test_the_cache_is_in_the_home_folder_without_xdg_cache_home(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _cache_folder() == tmp_path / ".cache" / "autograd_lite" / "mnist"
