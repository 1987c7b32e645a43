"""The operator's promises where things go wrong: holes in policies, drift, faults of stores and of API servers."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import harness as h
from e2e_folder import Proxy

READER = {"privileges": ["TABLE_READ_DATA"], "principals": [{"kind": "Principal", "name": "reader"}]}


class Gate(Proxy):
    """A way to the store that can be told to answer for it, and to fall silent at a certain request."""

    def __init__(self, rgw):
        super().__init__(int(rgw.endpoint.rsplit(":", 1)[1]))
        self.endpoint, self.reached, self.requests = f"http://127.0.0.1:{self.port}", threading.Event(), []
        self.open = []
        self.passing()

    def passing(self):
        self.mode, self.silent_at, self.left, self.delivered = "pass", b"", None, False

    def drop(self):
        """Ends the connections that there are: the next request makes a new one."""
        for s in self.open:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []

    def break_off(self, mode):
        self.mode = mode
        self.drop()

    def freeze_at(self, text, after=1, delivered=False):
        """Falls silent at the request of that number that holds the text; `delivered`: the store still gets it."""
        self.reached.clear()
        self.silent_at, self.left, self.delivered = text.encode(), after, delivered

    def count(self, text):
        """How many requests have held this text."""
        return sum(text.encode() in r for r in self.requests)

    def is_last(self, data):
        if self.left is None or self.silent_at not in data:
            return False
        self.left -= 1
        return self.left == 0

    def pump(self, source, sink):
        self.open.append(source)
        try:
            while self.mode == "pass":
                data = source.recv(65536)
                if not data or self.mode != "pass":
                    break
                if sink.getpeername()[1] == self.to:
                    self.requests.append(data)
                    if self.is_last(data):
                        self.mode = "silent"
                        if self.delivered:
                            sink.sendall(data)
                        self.reached.set()
                        return
                sink.sendall(data)
        except OSError:
            pass
        if self.mode == "silent":
            return
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def state_of(folder, name, kind="StorageIntegration", namespace=h.NAMESPACE):
    """What the program remembers of an object in folder mode: the whole object, as the API server would have it."""
    from strictyaml import ruamel

    for root, _, files in os.walk(folder.state):
        if f"{kind}.{namespace}.{name}.yaml" in files:
            with open(os.path.join(root, f"{kind}.{namespace}.{name}.yaml")) as f:
                return ruamel.load(f.read(), Loader=ruamel.SafeLoader) or {}
    return {}


def template(*resources):
    """A session policy for readers: each of these resources may be got."""
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::{{.Bucket}}/" + r for r in resources]}]})


class Scope(h.ClusterAndStore):
    """What the probe finds at a real store, and what follows from it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rgw.bucket("holed")
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
        h.wait_for_loops("a key", lambda: self.vend()[0] == 200)

    def test_a_narrow_template_is_verified_and_vended_from(self):
        self.set_template(template("{{.KeyPrefix}}/*"))
        try:
            self.kube.wait_ready("sti", "store")
            body = h.wait_for_loops("a key", lambda: (lambda a: a[1] if a[0] == 200 else None)(self.vend()))
            s3 = self.rgw.with_key(body["storage-credentials"][0]["config"])
            own = body["storage-credentials"][0]["prefix"][len("s3://warehouse/"):]
            self.assertEqual(h.status_of(s3.list_objects_v2, Bucket="warehouse", Prefix=own), 403)
            # What readers may not do is denied on top, and RGW takes a denial of a copy for a grant.
            self.rgw.s3.put_object(Bucket="warehouse", Key=own + "data/f", Body=b"x")
            for target in (own + "data/g", "lake/neighbour/planted"):
                self.assertEqual(h.status_of(s3.copy_object, Bucket="warehouse", Key=target,
                                             CopySource={"Bucket": "warehouse", "Key": own + "data/f"}), 403, target)
            self.assertIs(self.kube.get("sti", "store")["status"]["capabilities"]["metadataGuard"], True)
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


class Operator(unittest.TestCase):
    """Roles at a real store, and a program that ends in the middle of things: in folder mode, without a lease to wait
    for."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-crashes-")
        cls.addClassCleanup(shutil.rmtree, cls.base, True)
        cls.rgw = h.Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        cls.rgw.bucket("warehouse")
        cls.gate = Gate(cls.rgw)
        cls.folder = h.Folder(cls.base)
        cls.folder.write("keys.yaml", h.key_secret("store-keys", cls.rgw["user"]),
                         h.key_secret("store-admin", cls.rgw["admin"]))
        cls.desk = h.Frontdesk(*cls.folder.options(), "--resync", "1", folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)

    def setUp(self):
        self.gate.passing()
        if self.desk.process.poll() is not None:
            self.desk.start()

    def frozen(self):
        """The gate has fallen silent."""
        self.assertTrue(self.gate.reached.wait(30), self.desk.tail())

    def write(self, name, **spec):
        """The integration in its manifest; through the gate."""
        self.folder.write(name + ".yaml", h.integration(self.gate.endpoint, name, **spec))

    def status(self, name):
        return state_of(self.folder, name).get("status") or {}

    def condition(self, name, type_="Ready"):
        return next((c for c in self.status(name).get("conditions", []) if c["type"] == type_), {})

    def wait_condition(self, name, seconds=60, type_="Ready", **want):
        """Waits until the condition has these members, of the manifest as it stands now."""
        def claim():
            found, whole = self.condition(name, type_), state_of(self.folder, name)
            assert all(found.get(k) == v for k, v in want.items()), f"{name}: {whole.get('status')}"
            assert found["observedGeneration"] == whole["metadata"]["generation"]
            return found
        return h.wait_for(f"{name} {type_} {want}", claim, seconds)

    def wait_ready(self, name, status="True", seconds=60):
        return self.wait_condition(name, seconds, status=status)

    def passes(self, name, n=2):
        """Waits until the role of that name has been read so many times more."""
        text = f"Action=GetRole&Version=2010-05-08&RoleName=frontdesk-lakehouse-{name}"
        before = self.gate.count(text)
        h.wait_for(f"{n} passes", lambda: self.gate.count(text) >= before + n)

    def ours(self):
        return [o["Key"] for o in self.rgw.s3.list_objects_v2(Bucket="warehouse").get("Contents", [])
                if ".frontdesk-" in o["Key"]]

    def remove(self, *names):
        for name in names:
            self.folder.remove(name + ".yaml")
        h.wait_for("their roles are gone", lambda: not self.roles(*names))

    def roles(self, *names):
        return sorted(r for r in self.rgw.roles() if r in [f"frontdesk-lakehouse-{n}" for n in names])

    def test_a_session_length_that_the_store_cannot_change_is_told_and_not_tried_in_vain(self):
        self.write("long", maxSessionDurationSeconds=7200)
        self.wait_ready("long")
        self.assertEqual(self.condition("long", "RoleInSync")["status"], "True")
        self.write("long", maxSessionDurationSeconds=3600)
        told = self.wait_condition("long", type_="RoleInSync", status="False")
        self.assertEqual(told["reason"], "StoreCannotChange")
        self.assertIn("the longest session is 7200 s, not 3600 s; this store cannot change that", told["message"])
        self.assertEqual(self.condition("long")["status"], "True")
        self.assertIs(self.status("long")["capabilities"]["updateRole"], False)
        tried, status = self.gate.count("Action=UpdateRole&"), self.status("long")
        self.assertEqual(tried, 1)
        self.passes("long")
        self.assertEqual(self.gate.count("Action=UpdateRole&"), tried)
        self.assertEqual(self.status("long"), status)
        self.remove("long")

    def test_keys_longer_than_the_role_allows_are_a_condition_not_a_failed_request(self):
        self.write("short", maxSessionDurationSeconds=3600)
        self.wait_ready("short")
        self.write("short", maxSessionDurationSeconds=7200, credentialTtlSeconds=7200)
        ready = self.wait_ready("short", "False")
        self.assertEqual(ready["reason"], "SessionTooLong")
        self.assertIn("spec.credentialTtlSeconds: 7200 is longer than the role", ready["message"])
        self.remove("short")

    def test_an_observed_role_that_differs_is_told_by_name_and_left_alone(self):
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/lakehouse", "arn:aws:iam:::user/admin"]},
             "Action": ["sts:AssumeRole"], "Condition": {"Null": {"aws:TokenIssueTime": "true"}}}]}
        wide = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::warehouse", "arn:aws:s3:::warehouse/lake/*"]}]}

        def documents():
            return json.dumps([self.rgw.iam.get_role(RoleName="theirs")["Role"],
                               self.rgw.iam.get_role_policy(RoleName="theirs", PolicyName="wide")["PolicyDocument"],
                               self.rgw.iam.list_role_policies(RoleName="theirs")["PolicyNames"]], default=str)
        self.rgw.iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust, separators=(",", ":")))
        self.rgw.iam.put_role_policy(RoleName="theirs", PolicyName="wide",
                                     PolicyDocument=json.dumps(wide, separators=(",", ":")))
        before = documents()
        self.write("eyes", management="Observed", roleArn="arn:aws:iam:::role/theirs", tags={"team": "data"})
        self.wait_ready("eyes")
        told = self.condition("eyes", "RoleInSync")
        self.assertEqual((told["status"], told["reason"]), ("False", "RoleDiffers"))
        for text in ("the trust policy is not {", "no inline policy is {", "s3:prefix",
                     "the inline policy wide is not expected", "the tag team is missing"):
            self.assertIn(text, told["message"])
        self.assertEqual(documents(), before)
        self.folder.remove("eyes.yaml")
        h.wait_for("it is forgotten", lambda: not state_of(self.folder, "eyes").get("status"))
        self.assertEqual(documents(), before)

    def test_a_manifest_taken_away_right_after_it_was_ready_leaves_no_role(self):
        self.write("brief")
        self.wait_ready("brief")
        self.assertEqual(len(self.roles("brief")), 1)
        self.folder.remove("brief.yaml")
        h.wait_for("its role is gone", lambda: not self.roles("brief"))

    def test_a_probe_cut_short_by_a_kill_is_tidied_after_the_restart(self):
        self.gate.freeze_at("GET /warehouse/lake/.frontdesk-probe-")
        self.write("cut")
        self.frozen()
        self.assertEqual(len(self.ours()), 2)
        self.desk.kill()
        self.gate.passing()
        self.desk.start()
        self.wait_ready("cut")
        self.assertEqual(self.ours(), [])
        self.assertNotIn("probing", self.status("cut"))
        self.remove("cut")

    def test_what_a_cut_probe_left_goes_before_its_role_does(self):
        """The manifest goes while the program is down: nothing is probed any more."""
        self.gate.freeze_at("GET /warehouse/lake/.frontdesk-probe-")
        self.write("gone")
        self.frozen()
        self.desk.kill()
        self.gate.passing()
        self.folder.remove("gone.yaml")
        self.desk.start()
        h.wait_for("its role is gone", lambda: not self.roles("gone"))
        self.assertEqual(self.ours(), [])

    def ends(self, seconds):
        """SIGTERM, and how it ended."""
        self.desk.process.terminate()
        try:
            return self.desk.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.desk.kill()
            raise AssertionError(f"it did not end within {seconds} s:\n" + self.desk.tail()) from None

    def test_a_sigterm_ends_in_seconds_while_the_store_is_frozen(self):
        """Neither a role that the store did not hear of is claimed, nor one lost that it has made."""
        for name, delivered in (("unheard", False), ("unanswered", True)):
            with self.subTest(name):
                self.gate.freeze_at("Action=CreateRole&", delivered=delivered)
                self.write(name)
                self.frozen()
                self.assertEqual(self.ends(8), 0)
                self.assertEqual(len(self.roles(name)), delivered)
                self.gate.passing()
                self.desk.start()
                self.wait_ready(name)
                self.assertEqual(len(self.roles(name)), 1)
                self.remove(name)
                self.assertEqual(self.ours(), [])

    def test_a_sigterm_ends_in_seconds_while_a_probe_is_frozen(self):
        self.gate.freeze_at("Action=AssumeRole&", after=3)
        self.write("halfway")
        self.frozen()
        self.assertEqual(self.ends(8), 0)
        self.gate.passing()
        self.desk.start()
        self.wait_ready("halfway")
        self.assertEqual(self.ours(), [])
        self.remove("halfway")

    def test_a_second_sigterm_ends_at_once(self):
        self.gate.freeze_at("Action=GetRole&")
        self.write("hasty")
        self.frozen()
        drains = len(self.desk.said(msg="draining"))
        self.desk.process.terminate()
        h.wait_for("it drains", lambda: len(self.desk.said(msg="draining")) > drains)
        h.wait_for("a second one ends it", lambda: self.desk.process.terminate() or self.desk.process.poll() is not None)
        # Had it gone on to drain, its end would be another one.
        self.assertEqual(self.desk.process.returncode, -signal.SIGTERM)
        self.gate.passing()
        self.desk.start()
        self.wait_ready("hasty")
        self.remove("hasty")

    def requests_about(self, name):
        return self.gate.count(f"frontdesk-lakehouse-{name}")

    def test_a_store_that_fails_while_reconciling_is_a_condition_and_recovers_by_itself(self):
        self.folder.write("rich.yaml", h.integration(self.rgw, "rich", allowedLocations=["s3://warehouse/rich/*"]))
        self.write("poor")
        for name in ("rich", "poor"):
            self.wait_ready(name)
        rich = self.status("rich")
        for mode, told in (("503", "the store answered 503"), ("half", "no answer: ")):
            with self.subTest(mode):
                failed = len(self.desk.said(msg="pass failed"))
                self.gate.break_off(mode)
                ready = self.wait_ready("poor", "False")
                self.assertEqual(ready["reason"], "Unavailable")
                self.assertIn(told, ready["message"])
                self.assertEqual(self.condition("poor", "ScopeVerified")["status"], "True")
                self.assertEqual(self.condition("poor", "Reconciling")["status"], "True")
                self.folder.write("guest.yaml", h.principal(mode + "-guest"))
                h.wait_for("others go on", lambda m=mode: state_of(self.folder, m + "-guest", "Principal").get("status"))
                h.wait_for("it is tried again", lambda f=failed: len(self.desk.said(msg="pass failed")) >= f + 2)
                self.gate.passing()
                self.wait_ready("poor")
                self.assertEqual(self.status("rich"), rich)
                self.assertLess(len(self.desk.said(msg="pass failed")), failed + 12)
        self.folder.remove("guest.yaml")
        self.remove("rich", "poor")

    def test_frozen_stores_hold_up_nobody_else(self):
        names = [f"ice{i}" for i in range(3)]
        for name in names:
            self.write(name, allowedLocations=[f"s3://warehouse/{name}/*"])
        for name in names:
            self.wait_ready(name)
        self.gate.mode = "silent"
        self.gate.drop()
        for name in names:
            self.write(name, allowedLocations=[f"s3://warehouse/{name}/*"], tags={"again": "1"})
        began = time.monotonic()
        self.folder.write("quick.yaml", h.principal("quick"))
        h.wait_for("a principal", lambda: state_of(self.folder, "quick", "Principal").get("status"))
        self.folder.write("brisk.yaml", h.integration(self.rgw, "brisk", allowedLocations=["s3://warehouse/brisk/*"]))
        self.wait_ready("brisk")
        # A request to the frozen one is given up after ten seconds: whoever waited for one would be later.
        self.assertLess(time.monotonic() - began, 9)
        self.gate.passing()
        self.gate.drop()
        for name in names:
            self.wait_ready(name)
        self.folder.remove("quick.yaml")
        self.remove("brisk", *names)

    def test_a_deletion_with_the_store_away_names_what_blocks_it_and_goes_on(self):
        self.write("stuck")
        self.wait_ready("stuck")
        self.gate.break_off("503")
        self.folder.remove("stuck.yaml")
        blocked = h.wait_for("it says so", lambda: self.condition("stuck").get("reason") == "DeletionBlocked"
                             and self.condition("stuck"))
        self.assertIn("role frontdesk-lakehouse-stuck: ", blocked["message"])
        self.assertIn("503", blocked["message"])
        self.assertEqual(len(self.roles("stuck")), 1)
        self.gate.passing()
        h.wait_for("its role is gone", lambda: not self.roles("stuck"))
        h.wait_for("it is forgotten", lambda: not state_of(self.folder, "stuck").get("status"))

    def test_what_is_retained_stays_and_is_nobody_elses_afterwards(self):
        self.write("kept", deletionPolicy="Retain")
        self.wait_ready("kept")
        self.folder.remove("kept.yaml")
        h.wait_for("it is forgotten", lambda: not state_of(self.folder, "kept").get("status"))
        self.assertEqual(len(self.roles("kept")), 1)
        # Another object of that name is another owner.
        self.write("kept")
        self.assertEqual(self.wait_ready("kept", "False")["reason"], "AdoptionConflict")
        self.folder.remove("kept.yaml")
        h.wait_for("it is forgotten", lambda: not state_of(self.folder, "kept").get("status"))
        self.assertEqual(len(self.roles("kept")), 1)
        self.rgw.iam.delete_role_policy(RoleName="frontdesk-lakehouse-kept", PolicyName="frontdesk")
        self.rgw.iam.delete_role(RoleName="frontdesk-lakehouse-kept")

    def test_what_is_suspended_is_left_alone_until_it_is_not(self):
        self.write("beside")
        self.write("resting")
        for name in ("beside", "resting"):
            self.wait_ready(name)
        self.write("resting", suspend=True)
        self.wait_condition("resting", reason="Suspended", status="True")
        self.rgw.iam.delete_role_policy(RoleName="frontdesk-lakehouse-resting", PolicyName="frontdesk")
        asked = self.requests_about("resting")
        self.passes("beside")
        self.assertEqual(self.requests_about("resting"), asked)
        self.write("resting")
        self.wait_condition("resting", reason="Reconciled")
        self.assertEqual(self.rgw.iam.list_role_policies(RoleName="frontdesk-lakehouse-resting")["PolicyNames"], ["frontdesk"])
        self.remove("beside", "resting")

    def test_kills_at_random_moments_make_nothing_twice_and_leave_nothing_unowned(self):
        dice, names = random.Random(20160), []
        for i in range(12):
            names.append(f"round{i}")
            self.gate.freeze_at("HTTP/1.1", after=dice.randrange(1, 45), delivered=dice.random() < 0.5)
            self.write(names[-1], allowedLocations=[f"s3://warehouse/lake/{names[-1]}/*"])
            # A number past the last request: killed when all is done.
            h.wait_for("its moment", lambda: self.gate.reached.is_set() or self.condition(names[-1]).get("status") == "True")
            self.desk.kill()
            self.gate.passing()
            self.desk.start(wait=False)
        for name in names:
            self.wait_ready(name)
        self.assertEqual(self.roles(*names), sorted(f"frontdesk-lakehouse-{n}" for n in names))
        self.assertEqual(self.ours(), [])
        self.remove(*names)
        self.assertEqual(self.ours(), [])


class ApiServer(h.Cluster):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desk = h.Frontdesk("--kubeconfig", cls.kube.kubeconfig)
        cls.addClassCleanup(cls.desk.kill)

    def test_an_api_server_that_is_restarted_is_followed_again(self):
        self.kube.apply(h.principal("before"))
        self.kube.wait_ready("prin", "before")
        client = self.kube.secret("before-credentials")
        pid = self.kube["pids"]["kube-apiserver"]
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            argv = f.read().decode().split("\0")[:-1]
        os.kill(pid, signal.SIGTERM)
        h.wait_for("it is away", lambda: self.kube.kubectl("get", "ns", check=False).returncode, 120)
        self.assertTrue(self.desk.token(client))
        # The one that was told to end may hold the port for a while.
        again = []

        def up():
            if not again or again[-1].poll() is not None:
                again.append(subprocess.Popen(argv, cwd=self.kube["dir"], stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                self.addCleanup(again[-1].wait)
                self.addCleanup(again[-1].kill)
            return self.kube.kubectl("get", "--raw", "/readyz", check=False).returncode == 0
        h.wait_for("it is there again", up, 120)
        self.assertTrue(self.desk.token(client))
        self.kube.apply(h.principal("after"))
        self.kube.wait_ready("prin", "after", seconds=60)
        after = self.kube.secret("after-credentials")
        h.wait_for_loops("it is known", lambda: self.desk.token(after))
        self.assertIsNone(self.desk.process.poll())


class Way:
    """A way to the API server of one process. It can be frozen: what is sent waits, both ways."""

    def __init__(self, kube):
        self.to = kube["port"]
        self.moves = threading.Event()
        self.moves.set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.folder = tempfile.mkdtemp(prefix="fd-way-")
        self.kubeconfig = os.path.join(self.folder, "kubeconfig")
        with open(kube.kubeconfig) as f:
            config = json.load(f)
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        with open(self.kubeconfig, "w") as f:
            json.dump(config, f)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
                upstream = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            for source, sink in ((client, upstream), (upstream, client)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                self.moves.wait()
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.moves.set()
        self.socket.close()
        shutil.rmtree(self.folder, True)


class Leaders(h.ClusterAndStore):
    """Two processes at one API server: one acts, both serve."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kube.apply(*h.lakehouse(cls.rgw))
        cls.made = 0

    def desk(self, *options):
        way = Way(self.kube)
        self.addCleanup(way.close)
        desk = h.Frontdesk("--kubeconfig", way.kubeconfig, "--resync", "1", *options)
        self.addCleanup(shutil.rmtree, desk.folder, True)
        self.addCleanup(self.end, desk)
        desk.way = way
        return desk

    @staticmethod
    def end(desk):
        """Gives the lease up, so that the next test need not wait for it."""
        desk.way.moves.set()
        if desk.process.poll() is None:
            desk.stop()

    def pair(self, *options):
        """A leader and a follower, both ready to serve."""
        leader = self.desk(*options)
        h.wait_for("the first leads", lambda: leader.said(msg="leading"))
        self.kube.wait_ready("sti", "store")
        self.client = self.kube.secret("etl-credentials")
        follower = self.desk(*options)
        h.wait_for_loops("both serve", lambda: self.both_serve(leader, follower) is None)
        return leader, follower

    @staticmethod
    def writes(desk):
        """To the API server and to stores, renewals of the lease aside."""
        text = desk.get(desk.admin + "/metrics")[1].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith(("frontdesk_storage_writes_total", "frontdesk_kube_writes_total")))

    def both_serve(self, *desks):
        for desk in desks:
            token = desk.token(self.client)
            for other in desks:
                self.assertEqual(other.call("GET", "/v1/analytics/namespaces", token)[0], 200)

    def acts_within(self, seconds, began):
        type(self).made += 1
        name = f"new{self.made}"
        self.kube.apply(h.principal(name))
        self.kube.wait_ready("prin", name, seconds=seconds + 10)
        self.assertLess(time.monotonic() - began, seconds)

    def test_the_follower_serves_and_writes_nothing(self):
        leader, follower = self.pair()
        self.acts_within(10, time.monotonic())
        self.both_serve(leader, follower)
        self.assertEqual(self.writes(follower), 0)
        self.assertEqual(follower.said(msg="role changed"), [])
        self.assertGreater(self.writes(leader), 0)

    def test_after_a_sigterm_the_follower_acts_within_3_seconds(self):
        leader, follower = self.pair()
        began = time.monotonic()
        leader.process.terminate()
        self.acts_within(3, began)
        self.assertEqual(leader.process.wait(20), 0)
        self.both_serve(follower)

    def test_after_a_sigkill_the_follower_acts_within_the_lease_and_2_seconds(self):
        leader, follower = self.pair("--lease", "5")
        began = time.monotonic()
        leader.kill()
        self.both_serve(follower)
        self.acts_within(5 + 2, began)

    def test_a_leader_that_cannot_renew_stops_before_another_starts(self):
        leader, follower = self.pair("--lease", "5")
        name = self.kube.get("sti", "store")["status"]["roleArn"].rsplit("/", 1)[1]
        leader.way.moves.clear()

        def drift():
            self.rgw.iam.put_role_policy(RoleName=name, PolicyName="foreign", PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
                separators=(",", ":")))

        def repaired():
            return self.rgw.iam.list_role_policies(RoleName=name)["PolicyNames"] == ["frontdesk"]
        h.wait_for("the follower leads", lambda: follower.said(msg="leading"))
        stopped, started = leader.said(msg="following"), follower.said(msg="leading")
        self.assertTrue(stopped, leader.tail())
        self.assertLess(stopped[-1]["ts"], started[-1]["ts"])
        done = len(leader.said(msg="role changed"))
        for _ in range(3):
            drift()
            h.wait_for("it is repaired", repaired)
            self.both_serve(leader, follower)
        self.assertEqual(len(leader.said(msg="role changed")), done)
        h.wait_for("it says so", lambda: len(follower.said(msg="role changed")) >= 3)
        leader.way.moves.set()
        self.both_serve(leader, follower)
