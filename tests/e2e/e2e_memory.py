"""What clients make the server hold, all together, under a small --memory: bodies, their values, replies that nobody
reads. Each flood is bounded by its sender's share, and a caller beside it is served all the while."""
import contextlib
import json
import os
import re
import shutil
import socket
import tempfile
import threading
import unittest
import urllib.parse

import harness as h

MB = 1024 * 1024
V1 = "/v1/analytics/namespaces"
SANITIZED = "build/release" not in h.program()


class Steady:
    """A caller of its own who asks one question after the other; every answer must be the right one."""

    def __init__(self, desk, token):
        self.desk, self.token, self.answers, self.wrong = desk, token, 0, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            status, text, _ = self.desk.get(self.desk.uri + V1 + "/steady", {"Authorization": "Bearer " + self.token})
            self.answers += 1
            if status != 200:
                self.wrong.append((status, text))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def goes_on(self, n=5):
        """So many more answers, however busy the machine is."""
        seen = self.answers
        h.wait_for("answers to the steady caller", lambda: self.answers >= seen + n)


class Memory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-memory-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        folder = h.Folder(cls.base)
        folder.write("lakehouse.yaml", h.file_integration(), h.catalog(), h.principal(), h.role(), h.principal("flood"),
                     h.role("floods", principals=[{"kind": "Principal", "name": "flood"}]), h.principal("nobody"),
                     h.role("sees", ["NAMESPACE_LIST"], [{"kind": "Principal", "name": "nobody"}], namespaces=["steady"]))
        cls.desk = h.Frontdesk(*folder.options(), "--file-storage", cls.base, "--memory", "256", folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        cls.token, cls.flood, cls.nobody = (folder.token(cls.desk, name) for name in ("etl", "flood", "nobody"))
        for name in ("steady", "other"):
            h.wait_for("a namespace", lambda name=name: cls.desk.call("POST", V1, cls.token, {"namespace": [name]})[0] in (200, 409))

    def setUp(self):
        self.sockets = contextlib.ExitStack()
        self.addCleanup(self.sockets.close)

    def metric(self, name):
        text = self.desk.get(self.desk.admin + "/metrics")[1]
        text = text.decode() if isinstance(text, bytes) else text
        return float(re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M).group(1))

    def held(self):
        return self.metric("frontdesk_shared_bytes")

    def at_rest(self):
        h.wait_for("nothing to be held", lambda: self.held() < MB)

    def open(self, receive_bytes=None):
        at = urllib.parse.urlsplit(self.desk.uri)
        s = socket.socket()
        if receive_bytes:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        s.settimeout(60)
        s.connect((at.hostname, at.port))
        return self.sockets.enter_context(s)

    @staticmethod
    def head(method, path, token=None, length=0):
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        return f"{method} {path} HTTP/1.1\r\nHost: desk\r\n{bearer}Content-Length: {length}\r\n\r\n".encode()

    @staticmethod
    def answer(s):
        with contextlib.suppress(ConnectionError):
            return int(s.recv(65536).split(b" ")[1])
        return 0

    def push(self, s, n):
        """So much of a body, or until the server ends the connection."""
        piece = b" " * 65536
        with contextlib.suppress(OSError):
            s.settimeout(5)
            while n > 0:
                s.sendall(piece)
                n -= len(piece)
        s.settimeout(60)

    def test_bodies_of_strangers_are_not_read(self):
        with Steady(self.desk, self.token) as steady:
            for _ in range(30):
                s = self.open()
                s.sendall(self.head("POST", V1, length=15 * MB))
                self.assertEqual(self.answer(s), 401)
                self.push(s, 2 * MB)
            self.assertLess(self.held(), MB)
            steady.goes_on()
        self.assertEqual(steady.wrong, [])

    def test_tokens_are_asked_for_in_a_few_kilobytes(self):
        s = self.open()
        s.sendall(self.head("POST", "/v1/oauth/tokens", length=MB))
        self.assertEqual(self.answer(s), 413)

    def test_bodies_of_one_caller_leave_room_for_the_others(self):
        most = self.metric("frontdesk_shared_bytes_max")
        with Steady(self.desk, self.token) as steady:
            flood = [self.open() for _ in range(30)]
            for s in flood:
                s.sendall(self.head("POST", V1, self.flood, 16 * MB))
                self.push(s, 8 * MB)
            self.assertLessEqual(self.held(), most / 2 + 2 * MB)
            refused = 0
            for s in flood:
                s.setblocking(False)
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    refused += s.recv(65536).startswith(b"HTTP/1.1 503 ")
            self.assertGreater(refused, 10)
            steady.goes_on()
            status, body = self.desk.call("POST", V1 + "/steady/properties", self.token, {"updates": {"large": "x" * 500000}})
            self.assertEqual(status, 200, body)
        self.assertEqual(steady.wrong, [])
        self.sockets.close()
        self.at_rest()

    def test_replies_that_nobody_reads_leave_room_for_the_others(self):
        status, body = self.desk.call("POST", V1 + "/other/properties", self.token, {"updates": {"large": "x" * 900000}})
        self.assertEqual(status, 200, body)
        most = self.metric("frontdesk_shared_bytes_max")
        with Steady(self.desk, self.token) as steady:
            for _ in range(150):
                s = self.open(receive_bytes=4096)
                s.sendall(self.head("GET", V1 + "/other", self.flood) * 8)
            steady.goes_on(20)
            self.assertLessEqual(self.held(), most / 2 + 2 * MB)
        self.assertEqual(steady.wrong, [])
        self.sockets.close()
        self.at_rest()

    def test_no_privilege_means_that_no_body_is_read(self):
        s = self.open()
        s.sendall(self.head("POST", V1 + "/other/tables/t", self.nobody, 11 * MB))
        self.assertEqual(self.answer(s), 403)

    def test_eleven_megabytes_of_names_hold_nobody_up(self):
        names = ",".join(f'"{n:x}":1' for n in range(800000))
        body = ('{"namespace":["n"],"properties":{' + names + "}}").encode()
        answers = []

        def ask():
            answers.append(self.desk.get(self.desk.uri + V1, {"Authorization": "Bearer " + self.flood,
                                                              "Content-Type": "application/json"}, "POST", body, timeout=120)[0])

        with Steady(self.desk, self.token) as steady:
            asking = [threading.Thread(target=ask) for _ in range(4)]
            for thread in asking:
                thread.start()
            while any(thread.is_alive() for thread in asking):
                steady.goes_on(1)
            for thread in asking:
                thread.join()
        self.assertEqual(steady.wrong, [])
        self.assertTrue(set(answers) <= {400, 429, 503}, answers)
        self.at_rest()

    def test_z_the_process_has_kept_within_its_memory(self):
        self.assertIsNone(self.desk.process.poll())
        self.at_rest()
        if SANITIZED:
            return
        with open(f"/proc/{self.desk.process.pid}/status", encoding="ascii") as f:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1))
        self.assertLess(peak, 256 * 1024)
