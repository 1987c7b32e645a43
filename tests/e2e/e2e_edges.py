"""Where the program meets others: an API server that goes away, certificates that change."""
import json
import os
import shutil
import socket
import ssl
import tempfile

import harness as h
from e2e_claims import Counter


class Relay(Counter):
    """A way to the API server that can be cut in the middle of a line, or closed for a while."""

    def __init__(self, *arguments):
        self.open, self.away = [], False
        super().__init__(*arguments)

    def relay(self, client, upstream):
        self.open += [client, upstream]
        if self.away:
            client.close()
            upstream.close()
            return
        super().relay(client, upstream)

    def cut(self):
        for s in self.open:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []


class ApiServer(h.Cluster):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        cls.way = Relay("127.0.0.1", cls.kube["port"], trust)
        with open(cls.kube.kubeconfig) as f:
            config = json.load(f)
        config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{cls.way.port}"}
        cls.folder = tempfile.mkdtemp(prefix="fd-edges-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        with open(os.path.join(cls.folder, "kubeconfig"), "w") as f:
            json.dump(config, f)
        cls.kube.apply(h.principal("first"))
        cls.desk = h.Frontdesk("--kubeconfig", os.path.join(cls.folder, "kubeconfig"))
        cls.addClassCleanup(cls.desk.kill)
        cls.kube.wait_ready("prin", "first")
        cls.client = cls.kube.secret("first-credentials")

    def test_a_watch_that_is_cut_is_resumed(self):
        self.way.cut()
        self.kube.apply(h.principal("second"))
        self.kube.wait_ready("prin", "second", seconds=60)

    def test_while_the_api_server_is_away_the_server_serves_on_and_follows_again(self):
        self.way.away = True
        self.way.cut()
        self.kube.apply(h.principal("third"))
        self.assertTrue(self.desk.token(self.client))
        self.assertEqual(self.desk.get(self.desk.admin + "/readyz")[0], 200)
        self.way.away = False
        self.kube.wait_ready("prin", "third", seconds=90)
