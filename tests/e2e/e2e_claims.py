"""What operators and servers of this kind are rarely held to: no write without a reason, no request lost to a change.

A Lease is renewed by design, whatever there is to do: renewals are no writes here."""
import http.client
import itertools
import json
import os
import re
import select
import socket
import ssl
import tempfile
import threading
import time
import urllib.parse

import e2e_folder
import harness as h

WRITES = ("POST", "PUT", "PATCH", "DELETE")
# Questions that are asked by POST at the store's management interface.
READS = ("GetRole", "ListRoles", "ListRolePolicies", "GetRolePolicy", "ListRoleTags")


class Counter:
    """Relays to an HTTP server, one connection each way, and counts the writes that pass."""

    def __init__(self, host, port, tls=None):
        self.to, self.tls, self.writes, self.reads = (host, port), tls, [], 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client):
        try:
            upstream = socket.create_connection(self.to)
            if self.tls:
                upstream = self.tls.wrap_socket(upstream, server_hostname=self.to[0])
        except OSError:
            client.close()
            return
        self.relay(client, upstream)

    def relay(self, client, upstream):
        """Both ways in one thread: a TLS connection is not to be used by two at once."""
        other = {client: upstream, upstream: client}
        try:
            while True:
                waiting = [upstream] if self.tls and upstream.pending() else select.select([client, upstream], [], [])[0]
                for source in waiting:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is client:
                        self.note(data)
                    other[source].sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            client.close()
            upstream.close()

    def note(self, data):
        """A request's head comes in one piece, its form behind it."""
        for match in re.finditer(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n", data):
            method, path = match.group(1).decode(), match.group(2).decode()
            action = re.search(rb"Action=(\w+)", data)
            if method in WRITES and "/leases/" not in path and not (action and action.group(1).decode() in READS):
                self.writes.append((method, path, action.group(1).decode() if action else ""))
            else:
                self.reads += 1


class ZeroWrites(h.ClusterAndStore):
    INTEGRATIONS, RESYNCS, RESYNC_SECONDS = 200, 10, 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store = Counter("127.0.0.1", int(cls.rgw.endpoint.rsplit(":", 1)[1]))
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        cls.api = Counter("127.0.0.1", cls.kube["port"], trust)
        with open(cls.kube.kubeconfig) as f:
            config = json.load(f)
        config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{cls.api.port}"}
        cls.config = os.path.join(tempfile.mkdtemp(prefix="fd-counted-"), "kubeconfig")
        with open(cls.config, "w") as f:
            json.dump(config, f)
        objects = [h.key_secret("store-keys", cls.rgw["user"]), h.key_secret("store-admin", cls.rgw["admin"])]
        objects += [h.integration(f"http://127.0.0.1:{cls.store.port}", f"store{i}", allowedLocations=[f"s3://warehouse/lake{i}/*"])
                    for i in range(cls.INTEGRATIONS)]
        cls.kube.apply(*objects)
        cls.desk = h.Frontdesk("--kubeconfig", cls.config, "--resync", str(cls.RESYNC_SECONDS))
        cls.addClassCleanup(cls.desk.kill)

    def passes(self):
        text = self.desk.get(self.desk.admin + "/metrics")[1].decode()
        return float(re.search(r'controller_runtime_reconcile_total\{result="success"\} (\d+)', text).group(1))

    def ready(self):
        items = json.loads(self.kube.kubectl("get", "sti", "-n", h.NAMESPACE, "-o", "json"))["items"]
        good = [i for i in items for c in i.get("status", {}).get("conditions", []) if c["type"] == "Ready" and c["status"] == "True"]
        return len(good) == self.INTEGRATIONS

    def resync_without_writes(self):
        self.store.writes.clear()
        self.api.writes.clear()
        before = self.passes()
        h.wait_for("a resync", lambda: self.passes() >= before + self.INTEGRATIONS, 120)
        return not self.store.writes and not self.api.writes

    def test_ten_resyncs_of_200_healthy_integrations_write_nothing(self):
        h.wait_for("all integrations are ready", self.ready, 600)
        h.wait_for("what their becoming ready has caused is over", self.resync_without_writes, 120)
        before = self.passes()
        h.wait_for("ten resyncs", lambda: self.passes() >= before + self.RESYNCS * self.INTEGRATIONS, 600)
        self.assertEqual(self.store.writes, [])
        self.assertEqual(self.api.writes, [])
        self.assertGreater(self.store.reads, self.RESYNCS * self.INTEGRATIONS)


class Asker(threading.Thread):
    """Asks for a table over one kept-alive connection until told to stop, and notes every answer."""

    def __init__(self, desk, path, token):
        super().__init__(daemon=True)
        host = urllib.parse.urlparse(desk.uri).netloc
        self.connection, self.path = http.client.HTTPConnection(host, timeout=20), path
        self.headers = {"Authorization": "Bearer " + token}
        self.answers, self.faults, self.ending = {}, [], False

    def run(self):
        while not self.ending:
            try:
                self.connection.request("HEAD", self.path, headers=self.headers)
                status = self.connection.getresponse()
                status.read()
                self.answers[status.status] = self.answers.get(status.status, 0) + 1
            except OSError as e:
                self.faults.append(repr(e))
                return


class ChangesUnderLoad(e2e_folder.Desk):
    CHANGES = 1000

    def test_1000_rulebook_changes_drop_no_request_and_answer_none_wrongly(self):
        self.create("steady")
        self.folder.write("steady.yaml", h.principal("steady"),
                          h.role("steady", principals=[{"kind": "Principal", "name": "steady"}]))
        token = self.folder.token(self.desk, "steady")
        path = "/v1/analytics/namespaces/sales/tables/steady"
        askers = [Asker(self.desk, path, token) for _ in range(8)]
        # What changes concerns another principal: for this one the answer is the same throughout.
        for a in askers:
            a.start()
        began, changed = self.generation(), itertools.count(1)

        def asked():
            return sum(a.answers.get(204, 0) for a in askers)

        def some_changes():
            """As many of them at a time as the folder is read anew for: then whether all is done that is to be."""
            for n in itertools.islice(changed, 50):
                self.folder.write("flip.yaml", h.role("flip", privileges=h.ALL if n % 2 else ["NAMESPACE_LIST"]))
                time.sleep(0.002)
            return n >= self.CHANGES and asked() > self.CHANGES and self.generation() - began > self.CHANGES / 4
        h.wait_for("1000 changes in a quarter as many rulebooks, and more questions", some_changes, 300)
        for a in askers:
            a.ending = True
        for a in askers:
            a.join(30)
        self.assertEqual([f for a in askers for f in a.faults], [])
        self.assertEqual({s for a in askers for s in a.answers}, {204})

    def generation(self):
        return json.loads(self.desk.get(self.desk.admin + "/rulebook")[1])["generation"]
