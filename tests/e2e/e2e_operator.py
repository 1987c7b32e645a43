"""The operator's promises where things go wrong: holes in policies, drift, faults of stores and of API servers."""
import json
import socket
import threading
import unittest

import harness as h
from e2e_folder import Proxy

READER = {"privileges": ["TABLE_READ_DATA"], "principals": [{"kind": "Principal", "name": "reader"}]}


class Gate(Proxy):
    """A way to the store that can be told to answer for it, and to fall silent at a certain request."""

    def __init__(self, rgw):
        super().__init__(int(rgw.endpoint.rsplit(":", 1)[1]))
        self.endpoint, self.silent_at, self.reached = f"http://127.0.0.1:{self.port}", None, threading.Event()

    def freeze_at(self, text):
        self.reached.clear()
        self.silent_at = text.encode()

    def pump(self, source, sink):
        try:
            while self.mode == "pass":
                data = source.recv(65536)
                if not data:
                    break
                if self.silent_at and self.silent_at in data:
                    self.mode, self.silent_at = "silent", None
                    self.reached.set()
                    return
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def template(*resources):
    """A session policy for readers: each of these resources may be got."""
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::{{.Bucket}}/" + r for r in resources]}]})


class Scope(unittest.TestCase):
    """What the probe finds at a real store, and what follows from it."""

    @classmethod
    def setUpClass(cls):
        cls.kube = h.Kube()
        cls.addClassCleanup(cls.kube.stop)
        cls.rgw = h.Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        for bucket in ("warehouse", "holed", "cut"):
            cls.rgw.bucket(bucket)
        cls.kube.install()
        cls.desk = h.Frontdesk("--kubeconfig", cls.kube.kubeconfig, "--resync", "5")
        cls.addClassCleanup(cls.desk.kill)
        cls.kube.apply(*h.lakehouse(cls.rgw), h.principal("reader"), h.role("readers", **READER))
        cls.kube.wait_ready("sti", "store", seconds=60)
        for name in ("etl", "reader"):
            cls.kube.wait_ready("prin", name)
        for name in ("writer", "readers"):
            cls.kube.wait_ready("crole", name)
        cls.writer = cls.desk.token(cls.kube.secret("etl-credentials"))
        cls.desk.call("POST", "/v1/analytics/namespaces", cls.writer, {"namespace": ["sales"], "properties": {}})
        status, body = cls.desk.call("POST", "/v1/analytics/namespaces/sales/tables", cls.writer,
                                     {"name": "t", "schema": h.SIMPLE_SCHEMA})
        assert status == 200, body
        cls.reader = cls.desk.token(cls.kube.secret("reader-credentials"))

    def vend(self):
        return self.desk.call("GET", "/v1/analytics/namespaces/sales/tables/t/credentials", self.reader)

    def ours(self, bucket):
        """Objects and uploads of the probe that are in the bucket."""
        objects = self.rgw.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        uploads = self.rgw.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return [o["Key"] for o in objects + uploads if ".frontdesk-" in o["Key"]]

    def set_template(self, text):
        self.kube.patch("sti", "store", {"policyTemplates": {"read": text}})

    def test_a_template_too_wide_for_reading_is_never_vended_from(self):
        self.rgw.s3.put_object(Bucket="warehouse", Key="lake/neighbour/secret", Body=b"x")
        self.assertEqual(self.vend()[0], 200)
        self.set_template(template("{{.KeyPrefix}}/*", "lake/*"))
        try:
            # From the first moment on: what is vended meanwhile is of before.
            while self.kube.condition("sti", "store")["status"] != "False":
                status, body = self.vend()
                if status == 200:
                    s3 = self.rgw.with_key(body["storage-credentials"][0]["config"])
                    self.assertEqual(h.status_of(s3.get_object, Bucket="warehouse", Key="lake/neighbour/secret"), 403)
            self.assertIn("spec.policyTemplates.read", self.kube.wait_ready("sti", "store", "False")["message"])
            self.assertEqual(self.kube.condition("sti", "store", "ScopeVerified")["status"], "False")
            status, body = self.vend()
            self.assertNotEqual(status, 200, body)
        finally:
            self.set_template(None)
            self.kube.wait_ready("sti", "store")
        self.assertEqual(self.vend()[0], 200)

    def test_a_narrow_template_is_verified_and_vended_from(self):
        self.set_template(template("{{.KeyPrefix}}/*"))
        try:
            self.kube.wait_ready("sti", "store")
            status, body = self.vend()
            self.assertEqual(status, 200, body)
            s3 = self.rgw.with_key(body["storage-credentials"][0]["config"])
            own = body["storage-credentials"][0]["prefix"][len("s3://warehouse/"):]
            self.assertEqual(h.status_of(s3.list_objects_v2, Bucket="warehouse", Prefix=own), 403)
        finally:
            self.set_template(None)
            self.kube.wait_ready("sti", "store")

    def test_a_bucket_policy_that_reaches_beyond_the_session_is_a_hole(self):
        """RGW adds what a bucket policy grants to the user who minted to what the session policy allows."""
        for action, name in (("s3:GetObject", "get"), ("s3:DeleteObject", "delete")):
            with self.subTest(action):
                self.rgw.s3.put_bucket_policy(Bucket="holed", Policy=json.dumps({
                    "Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/lakehouse"]},
                        "Action": [action], "Resource": ["arn:aws:s3:::holed/*"]}]}, separators=(",", ":")))
                self.kube.apply(h.integration(self.rgw, "holed", bucket="holed"))
                ready = self.kube.wait_ready("sti", "holed", "False")
                self.assertEqual(ready["reason"], "ScopeNotVerified")
                self.assertIn(f"{name} outside its own folder was not refused: the store answered 20", ready["message"])
                verified = self.kube.condition("sti", "holed", "ScopeVerified")
                self.assertEqual((verified["status"], verified["reason"]), ("False", "ProbeFailed"))
                self.kube.apply(h.catalog("holed", storageIntegrationRef={"name": "holed"}),
                                h.role("holed", catalog_name="holed"))
                self.kube.wait_ready("crole", "holed")
                self.desk.call("POST", "/v1/holed/namespaces", self.writer, {"namespace": ["sales"], "properties": {}})
                status, body = self.desk.call("POST", "/v1/holed/namespaces/sales/tables", self.writer,
                                              {"name": "t", "schema": h.SIMPLE_SCHEMA})
                self.assertEqual(status, 503, body)
                self.assertEqual(self.ours("holed"), [])
                for kind in ("crole", "pcat", "sti"):
                    self.kube.delete(kind, "holed")

    def test_a_probe_cut_short_by_a_kill_is_tidied_after_the_restart(self):
        gate = Gate(self.rgw)
        gate.freeze_at("GET /cut/lake/.frontdesk-probe-")
        self.kube.apply(h.integration(gate.endpoint, "cut", bucket="cut"))
        self.assertTrue(gate.reached.wait(30))
        self.assertEqual(len(self.ours("cut")), 2)
        self.desk.kill()
        gate.mode = "pass"
        self.desk.start()
        self.kube.wait_ready("sti", "cut")
        self.assertEqual(self.ours("cut"), [])
        self.assertNotIn("probing", self.kube.get("sti", "cut")["status"])
        self.kube.delete("sti", "cut")
