"""Real clients across the lives of their tokens and credentials: at work for three of the one and two of the other, and
idle while both expire and the server is restarted. All at the same time, since they wait for the most part."""
import contextlib
import json
import os
import queue
import socket
import subprocess
import threading
import time
import urllib.parse

import harness as h
from conformance_flink import OPEN
from conformance_spark import BriefTokens
from e2e_folder import Desk
from engines import FOR_ARROW, installed

TOKEN_SECONDS, CREDENTIAL_SECONDS = 20, 30
SKEW_SECONDS = 6
BY_PYTHON = ("pyiceberg", "duckdb", "spark")
# Iceberg's Java client by itself; two of it with clocks that are off.
BY_JAVA = ("flink", "java", "ahead", "behind")
# Seconds.
CLOCKS = {"ahead": SKEW_SECONDS, "behind": -SKEW_SECONDS}
# They renew by exchange; the others log in again, before or after a refusal.
EXCHANGE = ("spark", "flink", "java", "ahead", "behind")


class Door:
    """What stands before the server, as a Service does: one address over its restarts, and who comes meanwhile waits."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.uri = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.behind, self.open = None, threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def lead_to(self, uri):
        self.behind = urllib.parse.urlsplit(uri)
        self.open.set()

    def accept(self):
        try:
            while True:
                client = self.listener.accept()[0]
                threading.Thread(target=self.lead, args=(client,), daemon=True).start()
        except OSError:
            pass  # closed: the end

    def lead(self, client):
        self.open.wait()
        with client, contextlib.suppress(OSError), \
                socket.create_connection((self.behind.hostname, self.behind.port)) as server:
            back = threading.Thread(target=self.pass_on, args=(server, client), daemon=True)
            back.start()
            self.pass_on(client, server)
            back.join()

    @staticmethod
    def pass_on(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for s in (source, sink):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)


class Client:
    """One engine with a principal of its own: told what to do on its standard input, heard on its output."""

    def __init__(self, name, command, environment, folder):
        self.name, self.heard, self.failure = name, queue.Queue(), None
        self.errors = open(os.path.join(folder, name + ".log"), "w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env=environment, cwd=folder)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            if line.startswith("["):
                self.heard.put(json.loads(line))
        self.heard.put(["ended"])

    def work(self, seconds):
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended: outcome() says how

    def outcome(self):
        """What it has to say of the work it was told to do, or how it ended."""
        if not self.failure:
            what, *more = self.heard.get(timeout=300)
            if what == "rows":
                return more
            self.errors.seek(0)
            self.failure = more[0] if more else "it ended: " + self.errors.read()[-2000:]
        return self.failure

    def end(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


class Renewal(Desk):
    @classmethod
    def setUpClass(cls):
        cls.packages = installed()
        super().setUpClass()
        tokens = BriefTokens(cls.rgw, CREDENTIAL_SECONDS)
        cls.addClassCleanup(tokens.shutdown)
        names = BY_PYTHON + BY_JAVA
        cls.folder.write("brief.yaml", h.catalog("brief", storageIntegrationRef={"name": "brief"}),
                         h.integration(cls.endpoint(), "brief", allowedLocations=["s3://warehouse/brief/*"], stsEndpoint=tokens.uri),
                         *[h.principal(name) for name in names],
                         h.role("brief", catalog_name="brief", principals=[{"kind": "Principal", "name": n} for n in ("etl", *names)]))
        h.wait_for("the brief catalog", cls.vends)
        cls.door = Door()
        cls.addClassCleanup(cls.door.listener.close)
        cls.desk.options += ("--token-ttl", str(TOKEN_SECONDS))
        cls.restart()
        cls.clients = {name: cls.client_of(name) for name in names}
        cls.at_work = cls.told(2.5 * TOKEN_SECONDS)
        cls.idle()
        cls.after = cls.told(1)

    @classmethod
    def vends(cls):
        cls.desk.call("POST", "/v1/brief/namespaces", cls.token, {"namespace": ["renewal"]})
        return cls.desk.call("POST", "/v1/brief/namespaces/renewal/tables", cls.token, {"name": "first", "schema": h.SIMPLE_SCHEMA},
                             X_Iceberg_Access_Delegation="vended-credentials")[0] in (200, 409)

    @classmethod
    def client_of(cls, name):
        client = h.wait_for(name, lambda: cls.folder.credentials(name + "-credentials"))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environment |= {"URI": cls.door.uri, "SCOPE": "PRINCIPAL_ROLE:ALL", "STORE": cls.rgw.endpoint, "TABLE": name,
                        "CREDENTIAL": client["client-id"] + ":" + client["client-secret"], **FOR_ARROW}
        script = os.path.join(h.TOP, "tests", "e2e", "engine_renewal")
        if name in BY_PYTHON:
            command = [os.path.join(cls.packages, "bin", "python3"), script + ".py", name]
        else:
            command = ["java", "-Xmx512m", *OPEN, "-cp", os.path.join(cls.packages, "flink", "*"), script + ".java", name]
        if name in CLOCKS:
            environment |= {"LD_PRELOAD": os.path.join(os.path.dirname(h.program()), "tests", "clock_skew.so"),
                            "CLOCK_SKEW": str(CLOCKS[name])}
        started = Client(name, command, environment, cls.base)
        cls.addClassCleanup(started.end)
        return started

    @classmethod
    def told(cls, seconds):
        for client in cls.clients.values():
            client.work(seconds)
        return {name: client.outcome() for name, client in cls.clients.items()}

    @classmethod
    def idle(cls):
        """For more than a token's life, and the server is another one at the end."""
        until = time.monotonic() + 1.6 * TOKEN_SECONDS
        cls.restart()
        time.sleep(max(0.0, until - time.monotonic()))

    @classmethod
    def restart(cls):
        cls.door.open.clear()
        cls.desk.stop()
        cls.desk.start()
        cls.door.lead_to(cls.desk.uri)

    def check(self, name):
        for rows in (self.at_work[name], self.after[name]):
            self.assertIsInstance(rows, list, rows)
            self.assertEqual(rows[0], rows[1], "rows that were written, and steps that said they did")
        records = [r for r in self.desk.audit() if r.get("principal") == "lakehouse/" + name]
        tokens = [r for r in records if r["operation"] == "token" and r["decision"] == "allowed"]
        exchanged = [r for r in tokens if r.get("details", {}).get("grantType") == "token-exchange"]
        self.assertGreaterEqual(len(tokens), 3, tokens)
        if name in EXCHANGE:
            self.assertGreaterEqual(len(exchanged), 3, tokens)
        # Two lives of credentials at least were used up.
        self.assertGreater(len({r["accessKeyId"] for r in records if "accessKeyId" in r}), 2)

    def test_pyiceberg_stays_in(self):
        self.check("pyiceberg")

    def test_duckdb_stays_in(self):
        self.check("duckdb")

    def test_spark_stays_in(self):
        self.check("spark")

    def test_flink_stays_in(self):
        self.check("flink")

    def test_the_java_client_stays_in(self):
        self.check("java")

    def test_a_java_client_whose_clock_is_ahead_stays_in(self):
        self.check("ahead")

    def test_a_java_client_whose_clock_is_behind_stays_in(self):
        self.check("behind")
