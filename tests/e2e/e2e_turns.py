"""Silent stores of one tenant are his own affair: everybody else's resources are reconciled as before."""
import json
import os
import shutil
import socket
import tempfile
import time
import unittest

import harness as h
from e2e_operator import state_of


class Turns(unittest.TestCase):
    SILENT, ROUNDS, PASS_SECONDS = 40, 5, 10

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-turns-")
        cls.addClassCleanup(shutil.rmtree, cls.base, True)
        cls.rgw = h.Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        cls.rgw.bucket("warehouse")
        cls.folder = h.Folder(cls.base)
        cls.folder.write("keys.yaml", h.key_secret("store-keys", cls.rgw["user"]),
                         h.key_secret("store-admin", cls.rgw["admin"]))
        cls.desk = h.Frontdesk(*cls.folder.options(), folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)

    def generation(self, name):
        """Which generation's outcome the status tells, of an integration that is Ready."""
        status = state_of(self.folder, name).get("status") or {}
        ready = [c for c in status.get("conditions", []) if c["type"] == "Ready"]
        return status.get("observedGeneration", 0) if ready and ready[0]["status"] == "True" else 0

    def change(self, n):
        """Seconds until a change of one integration, and one of a principal, are reconciled."""
        before, began = self.generation("good"), time.monotonic()
        self.folder.write("good.yaml", h.integration(self.rgw, "good", credentialTtlSeconds=900 + n % 2000), h.principal(f"p{n}"))
        h.wait_for("the change is reconciled", lambda: self.generation("good") > before)
        h.wait_for("the principal", lambda: state_of(self.folder, f"p{n}", "Principal").get("status"))
        return time.monotonic() - began

    def flood(self, endpoints, namespaces):
        """That many integrations whose store takes connections and never says a word."""
        objects = []
        for i in range(self.SILENT):
            namespace = f"flood{i % namespaces}"
            o = h.integration(endpoints[i % len(endpoints)], f"silent{i}", credentialsSecretRef={"name": "keys"},
                              adminCredentialsSecretRef={"name": "keys"})
            o["metadata"]["namespace"] = namespace
            objects.append(o)
        objects += [h.key_secret("keys", {"access_key": "A", "secret_key": "B"}, f"flood{n}") for n in range(namespaces)]
        self.folder.write("flood.yaml", *objects)

    def test_40_integrations_at_silent_stores_delay_nobody_elses_by_a_second(self):
        self.change(0)
        before = sorted(self.change(n + 1) for n in range(self.ROUNDS))
        for stores, namespaces in ((1, 1), (self.SILENT, 1), (self.SILENT, 8)):
            with self.subTest(stores=stores, namespaces=namespaces):
                silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(stores)]
                try:
                    self.flood([f"http://127.0.0.1:{s.getsockname()[1]}" for s in silent], namespaces)
                    h.wait_for("they are tried", lambda s=silent: self.reached(s))
                    # For as long as the first of them are waited for, and beyond.
                    since, beside, n = time.monotonic(), [], 100 * stores + namespaces
                    while time.monotonic() - since < 2 * self.PASS_SECONDS:
                        beside.append(self.change(n + len(beside)))
                    beside.sort()
                    # The median, so that what else this machine does counts for nothing; and none waited for a silent one.
                    self.assertLess(beside[len(beside) // 2], before[len(before) // 2] + 1)
                    self.assertLess(beside[-1], before[-1] + self.PASS_SECONDS / 2)
                finally:
                    self.folder.remove("flood.yaml")
                    for s in silent:
                        s.close()
                    h.wait_for("they are forgotten", lambda: not os.path.exists(
                        os.path.join(self.folder.state, "StorageIntegration.flood0.silent0.yaml")))

    @staticmethod
    def reached(silent):
        """Somebody has connected to one of them."""
        for s in silent:
            s.settimeout(0.001)
            try:
                s.accept()[0].settimeout(None)
                return True
            except OSError:
                continue
        return False
