"""Without a cluster: a folder of manifests, attacks on locations and tokens, and parts that fail."""
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import harness as h


class Desk(unittest.TestCase):
    """A program in folder mode on a real RGW; what the classes below share."""
    FIRST = "/v1/analytics/namespaces/sales/tables/first"

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-folder-")
        cls.rgw = h.Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        cls.rgw.bucket("warehouse")
        cls.folder = h.Folder(cls.base)
        cls.folder.write("lakehouse.yaml", *h.lakehouse(cls.endpoint()))
        cls.desk = h.Frontdesk(*cls.folder.options(), *cls.options(), folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        cls.token = cls.folder.token(cls.desk)
        cls.client = cls.credentials()
        h.wait_for("the integration is verified", lambda: cls.create("first")[0] == 200)
        cls.wait_for_store()

    @classmethod
    def wait_for_store(cls):
        """Ready says that requests are answered; the store is looked at after that, also by one that begins anew."""
        h.wait_for_loops("it vends", lambda: cls.desk.call("GET", cls.FIRST + "/credentials", cls.token)[0] == 200)

    @classmethod
    def options(cls):
        return ()

    @classmethod
    def endpoint(cls):
        """The store as the program is told of it."""
        return cls.rgw

    @classmethod
    def credentials(cls, name="etl-credentials"):
        return cls.folder.credentials(name)

    @classmethod
    def create(cls, name, token=None, **more):
        cls.desk.call("POST", "/v1/analytics/namespaces", token or cls.token, {"namespace": ["sales"], "properties": {}})
        return cls.desk.call("POST", "/v1/analytics/namespaces/sales/tables", token or cls.token,
                             {"name": name, "schema": h.SIMPLE_SCHEMA, **more},
                             X_Iceberg_Access_Delegation="vended-credentials")


class Folder(Desk):
    def test_config_lists_exactly_what_is_served(self):
        status, body = self.desk.call("GET", "/v1/config?warehouse=analytics", self.token)
        self.assertEqual(status, 200)
        for endpoint in body["endpoints"]:
            method, path = endpoint.split(" ")
            real = path.replace("{prefix}", "analytics").replace("{namespace}", "nowhere").replace("{table}", "t").replace("{view}", "v")
            status, answer = self.desk.call(method, real, self.token, {} if method == "POST" else None)
            self.assertNotIn(status, (405, 500, 501), endpoint)
            if status == 404 and method != "HEAD":
                self.assertNotEqual(answer["error"]["type"], "NotFoundException", endpoint)

    def test_every_path_is_served_below_the_names_of_other_catalogs(self):
        for prefix in ("/api/catalog", "/iceberg"):
            self.assertEqual(self.desk.call("GET", prefix + "/v1/config?warehouse=analytics", self.token)[0], 200)

    def test_an_unknown_warehouse_is_404(self):
        status, body = self.desk.call("GET", "/v1/config?warehouse=nowhere", self.token)
        self.assertEqual((status, body["error"]["type"]), (404, "NoSuchWarehouseException"))

    def test_a_changed_manifest_is_in_force_within_milliseconds(self):
        def allowed():
            return self.desk.call("GET", "/v1/analytics/namespaces/sales/tables/first", self.token)[0] == 200
        for privileges, want in ((["NAMESPACE_LIST"], False), (h.ALL, True)):
            self.folder.write("lakehouse.yaml", *h.lakehouse(self.endpoint())[:-1], h.role(privileges=privileges))
            began = time.monotonic()
            h.wait_for("the change", lambda w=want: allowed() == w)
            self.assertLess(time.monotonic() - began, 1)
            h.wait_for_loops("the change", lambda w=want: allowed() == w)

    def test_a_broken_manifest_costs_only_itself(self):
        self.folder.write("broken.yaml", "kind: [unclosed")
        self.folder.write("wrong.yaml", h.catalog("wrong", storageIntegrationRef={"name": 7}, extra=1))
        h.wait_for("the error is told", lambda: self.desk.said(level="error"))
        self.assertEqual(self.desk.call("GET", "/v1/analytics/namespaces", self.token)[0], 200)
        self.folder.remove("broken.yaml")
        self.folder.remove("wrong.yaml")

    def works(self):
        """The role is at the store, and credentials are vended from it."""
        self.assertIn("frontdesk-lakehouse-store", self.rgw.roles())
        return self.desk.call("GET", self.FIRST + "/credentials", self.token)[0] == 200

    def unread(self):
        """What /readyz and the metric say of files that cannot be used."""
        status, text, _ = self.desk.get(self.desk.admin + "/readyz")
        self.assertEqual(status, 200)
        metrics = self.desk.get(self.desk.admin + "/metrics")[1].decode()
        count = [line.split()[1] for line in metrics.splitlines() if line.startswith("frontdesk_manifests_unread ")]
        return text.decode(), int(count[0])

    def test_a_manifest_that_is_broken_or_away_takes_no_role_and_no_grant(self):
        path = os.path.join(self.folder.base, "lakehouse.yaml")
        with open(path) as f:
            good = f.read()
        for what, text in (("not YAML", good[:len(good) // 2]), ("is empty", ""), ("is too large", "# " + "x" * (5 << 20)),
                           ("must be polaris.apache.org/v1", good.replace("polaris.apache.org/v1", "polaris.apache.org/v9"))):
            with self.subTest(what):
                self.folder.write("lakehouse.yaml", text)
                h.wait_for("the file is told", lambda w=what: w in self.unread()[0] and self.unread()[1] == 1)
                until = time.monotonic() + 5
                while time.monotonic() < until:
                    self.assertTrue(self.works())
                self.folder.write("lakehouse.yaml", good)
                h.wait_for("all is well", lambda: self.unread() == ("ok\n", 0))
        os.rename(path, path + ".away")
        h.wait_for("the program has looked", lambda: self.works())
        os.rename(path + ".away", path)
        away = self.folder.base + "-away"
        os.rename(self.folder.base, away)
        os.makedirs(self.folder.base)
        h.wait_for("the folder is told", lambda: "holds no manifest" in self.unread()[0])
        until = time.monotonic() + 5
        while time.monotonic() < until:
            self.assertTrue(self.works())
        os.rmdir(self.folder.base)
        os.rename(away, self.folder.base)
        h.wait_for("all is well", lambda: self.unread() == ("ok\n", 0))
        self.assertTrue(self.works())

    def test_a_list_is_read_as_its_items_are(self):
        self.folder.write("list.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [
            h.principal("listed"), h.role("listed-role", principals=[{"kind": "Principal", "name": "listed"}])]}))
        token = self.folder.token(self.desk, "listed")
        self.folder.remove("list.json")
        h.wait_for_loops("the listed is out", lambda: self.desk.call("GET", "/v1/analytics/namespaces", token)[0] == 401)

    def test_check_names_the_line_and_the_remedy_and_ends_with_1(self):
        path = os.path.join(self.base, "bad.yaml")
        with open(path, "w") as f:
            f.write("apiVersion: polaris.apache.org/v1\nkind: StorageIntegration\nmetadata:\n  name: x\nspec:\n"
                    "  storageType: s3\n  bucket: bkt\n  provider: ceph-rgw\n  endpoint: http://127.0.0.1:1\n"
                    "  allowedLocations:\n    - s3://other/place/*\n  colour: blue\n")
        done = subprocess.run([h.program(), "check", path], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:11: StorageIntegration/x: spec.allowedLocations[0]", done.stdout)
        self.assertIn(f"{path}:12: StorageIntegration/x: spec.colour", done.stdout)

    def test_check_is_content_with_the_samples(self):
        done = subprocess.run([h.program(), "check", os.path.join(h.TOP, "config", "samples")], stdout=subprocess.PIPE,
                              text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_explain_names_the_grant_and_the_reach(self):
        done = subprocess.run([h.program(), "explain", "--principal", "etl", "--table", "analytics.sales.first",
                               *self.folder.options()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("TABLE_READ_DATA", done.stdout)
        self.assertIn("CatalogRole lakehouse/writer", done.stdout)

    def explain(self, *more):
        return subprocess.run([h.program(), "explain", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_explain_as_json_is_one_object_also_where_nothing_is_reached(self):
        done = self.explain("--principal", "etl", "--table", "analytics.sales.first", "-o", "json", *self.folder.options())
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual(said["principal"], "lakehouse/etl")
        self.assertIn("arn:aws:s3:::warehouse/lake/sales/first-UUID/*", json.dumps(said["policy"]))
        nothing = os.path.join(self.base, "nothing")
        os.makedirs(nothing, exist_ok=True)
        with open(os.path.join(nothing, "all.yaml"), "w") as f:
            f.write("\n---\n".join(json.dumps(o) for o in (
                *h.lakehouse(self.endpoint())[2:-1], h.role(privileges=["TABLE_LIST"]))))
        done = self.explain("--principal", "etl", "--table", "analytics.sales.first", "-o", "json", "--resources", nothing)
        self.assertIn("TABLE_READ_DATA", json.loads(done.stdout)["reachesNothing"])

    def test_explain_says_what_is_wrong_with_the_question(self):
        ask = ("--principal", "etl", "--table", "analytics.sales.first", *self.folder.options())
        for status, message, question in (
                (2, "--principal and --table", ask[:2]), (2, "json is the only", (*ask, "-o", "yaml")),
                (2, 'takes no "more"', (*ask, "more")), (1, "no such folder", (*ask[:4], "--resources", "/nowhere")),
                (1, "principal nobody", ("--principal", "nobody", *ask[2:])),
                (1, "names no catalog", (*ask[:3], "nowhere.sales.first", *ask[4:])),
                (1, "CATALOG.NAMESPACE.TABLE", (*ask[:3], "analytics.sales..first", *ask[4:]))):
            with self.subTest(message):
                done = self.explain(*question)
                self.assertEqual((done.returncode, done.stdout), (status, ""))
                self.assertIn(message, done.stderr)

    def test_every_decision_is_one_audit_record_without_a_secret(self):
        status, body = self.desk.call("GET", "/v1/analytics/namespaces/sales/tables/first/credentials", self.token)
        self.assertEqual(status, 200)
        config = body["storage-credentials"][0]["config"]

        def record():
            return [r for r in self.desk.audit() if config["s3.access-key-id"] in json.dumps(r)]
        found = h.wait_for("its record", record)[-1]
        self.assertIn("etl", json.dumps(found))
        with open(os.path.join(self.base, "audit.jsonl")) as f:
            text = f.read()
        for hidden in (config["s3.secret-access-key"], config["s3.session-token"], self.token, self.client["client-secret"]):
            self.assertNotIn(hidden, text)
            self.assertNotIn(hidden, self.desk.tail())


class Locations(Desk):
    def test_places_that_are_not_ours_are_refused_at_create(self):
        for location in ("s3://warehouse/lake/../secret/t", "s3://warehouse/lake//t", "s3://warehouse/lake/t*",
                         "s3://warehouse/lake/t?", "s3://warehouse/lake/$t", "s3://warehouse/lake/%2e%2e/t",
                         "s3://warehouse/lake/a:b", "s3://other/lake/t", "s3://warehouse/lakeside/t",
                         "s3://warehouse/lake", "file:///etc/t", "s3://warehouse/lake/e\u0301",
                         "s3://warehouse/lake/a\\b", "s3://warehouse/lake/./t"):
            with self.subTest(location):
                status, body = self.create("evil", location=location)
                self.assertIn(status, (400, 403), body)

    def test_another_tables_place_is_refused_at_create(self):
        status, body = self.create("host", location="s3://warehouse/lake/sales/host")
        self.assertEqual(status, 200, body)
        for location in ("s3://warehouse/lake/sales/host", "s3://warehouse/lake/sales/host/inside", "s3a://warehouse/lake/sales/host",
                         "s3://warehouse/lake/sales"):
            with self.subTest(location):
                self.assertIn(self.create("parasite", location=location)[0], (400, 403, 409))
        self.assertEqual(self.create("sibling", location="s3://warehouse/lake/sales/host2")[0], 200)

    def commit(self, name, update):
        return self.desk.call("POST", f"/v1/analytics/namespaces/sales/tables/{name}", self.token,
                              {"requirements": [], "updates": [update]})

    def test_places_that_are_not_ours_are_refused_at_commit(self):
        self.create("mover", location="s3://warehouse/lake/sales/mover")
        self.create("victim", location="s3://warehouse/lake/sales/victim")
        for update in ({"action": "set-location", "location": "s3://warehouse/lake/sales/victim"},
                       {"action": "set-location", "location": "s3://other/x"},
                       {"action": "set-properties", "updates": {"write.data.path": "s3://warehouse/lake/sales/victim/data"}},
                       {"action": "set-properties", "updates": {"write.metadata.path": "s3://warehouse/outside"}},
                       {"action": "set-properties", "updates": {"write.data.path": "s3://warehouse/lake/../x"}}):
            with self.subTest(update):
                status, body = self.commit("mover", update)
                self.assertIn(status, (400, 403), body)

    def test_a_place_that_is_no_longer_allowed_is_not_vended(self):
        self.create("leaver", location="s3://warehouse/lake/b/leaver")
        path = "/v1/analytics/namespaces/sales/tables/leaver/credentials"
        self.assertEqual(self.desk.call("GET", path, self.token)[0], 200)
        objects = h.lakehouse(self.endpoint())
        objects[2]["spec"]["allowedLocations"] = ["s3://warehouse/lake/sales/*"]
        objects[3]["spec"]["defaultBaseLocation"] = "s3://warehouse/lake/sales"
        try:
            self.folder.write("lakehouse.yaml", *objects)
            h.wait_for_loops("the table is out of bounds", lambda: self.desk.call("GET", path, self.token)[0] == 403)
        finally:
            self.folder.write("lakehouse.yaml", *h.lakehouse(self.endpoint()))
            h.wait_for_loops("all is as before", lambda: self.desk.call("GET", path, self.token)[0] == 200)


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


class Tokens(Desk):
    def refused(self, token, **more):
        status, body = self.desk.call("GET", "/v1/analytics/namespaces", token, **more)
        self.assertIn(status, (401, 431), body)
        if status == 401:
            self.assertEqual(body["error"]["code"], 401)
            self.assertEqual(body["error"]["type"], "NotAuthorizedException")

    def test_no_token_and_nonsense_are_401(self):
        for token in ("", "x", "a.b.c", "." * 100, self.token[:-2], self.token + "A"):
            with self.subTest(token[:20]):
                self.refused(token)

    def test_alg_none_and_a_changed_algorithm_are_401(self):
        _, claims, signature = self.token.split(".")
        for alg in ("none", "None", "RS256", "ES256"):
            self.refused(f"{b64({'alg': alg, 'typ': 'JWT'})}.{claims}.")
            self.refused(f"{b64({'alg': alg, 'typ': 'JWT'})}.{claims}.{signature}")

    def test_a_token_under_a_foreign_key_is_401(self):
        head, claims, _ = self.token.split(".")
        forged = hmac.new(b"guess" * 8, f"{head}.{claims}".encode(), hashlib.sha256).digest()
        self.refused(f"{head}.{claims}.{b64(forged)}")

    def test_changed_claims_are_401(self):
        head, claims, signature = self.token.split(".")
        body = json.loads(base64.urlsafe_b64decode(claims + "=="))
        body["sub"] = "lakehouse/admin"
        self.refused(f"{head}.{b64(body)}.{signature}")

    def test_an_oversized_token_is_refused(self):
        self.refused("a" * 9000)
        self.refused("a" * 60000)

    def test_a_wrong_secret_is_a_plain_oauth_error(self):
        body = f"grant_type=client_credentials&client_id={self.client['client-id']}&client_secret=wrong&scope=catalog".encode()
        status, text, _ = self.desk.get(self.desk.uri + "/v1/oauth/tokens", method="POST", body=body,
                                        headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual((status, json.loads(text)["error"]), (401, "invalid_client"))

    def test_basic_authentication_is_taken(self):
        basic = base64.b64encode(f"{self.client['client-id']}:{self.client['client-secret']}".encode()).decode()
        status, text, _ = self.desk.get(self.desk.uri + "/v1/oauth/tokens", method="POST", body=b"grant_type=client_credentials&scope=catalog",
                                        headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic " + basic})
        self.assertEqual(status, 200, text)

    def test_a_role_one_is_not_in_cannot_be_asked_for(self):
        with self.assertRaises(AssertionError):
            self.desk.token(self.client, scope="PRINCIPAL_ROLE:admins")

    def test_a_principal_taken_out_of_the_folder_is_out(self):
        self.folder.write("guest.yaml", h.principal("guest"), h.role("guest-role", principals=[{"kind": "Principal", "name": "guest"}]))
        token = self.folder.token(self.desk, "guest")
        self.assertEqual(self.desk.call("GET", "/v1/analytics/namespaces", token)[0], 200)
        self.folder.remove("guest.yaml")
        h.wait_for_loops("the guest is out", lambda: self.desk.call("GET", "/v1/analytics/namespaces", token)[0] == 401)


class Proxy:
    """A TCP relay to the store that can be told to answer for it, be slow, or cut an answer."""

    def __init__(self, port):
        self.to, self.mode = port, "pass"
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        mode = self.mode
        try:
            if mode == "503":
                client.recv(65536)
                client.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            elif mode == "half":
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<AssumeRoleResponse>")
            elif mode == "silent":
                time.sleep(30)
            elif mode == "pass":
                upstream = socket.create_connection(("127.0.0.1", self.to))
                threading.Thread(target=self.pump, args=(upstream, client), daemon=True).start()
                self.pump(client, upstream)
        except OSError:
            pass
        finally:
            if mode != "pass":
                client.close()

    def passes(self, data):
        """What is about to be passed on; for those who look at it."""

    def pump(self, source, sink):
        try:
            while self.mode == "pass":
                data = source.recv(65536)
                # What comes after the mode has changed meets the new one: on a connection of before it is cut off.
                if not data or self.mode != "pass":
                    break
                self.passes(data)
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


class Faults(Desk):
    @classmethod
    def endpoint(cls):
        if not hasattr(cls, "proxy"):
            cls.proxy = Proxy(int(cls.rgw.endpoint.rsplit(":", 1)[1]))
        return h.At(cls.rgw, cls.proxy.port)

    def recovers(self):
        self.proxy.mode = "pass"
        name = f"after{time.monotonic_ns()}"
        h.wait_for("all is well again", lambda: self.create(name)[0] in (200, 409), 90)

    def unavailable(self, mode):
        self.proxy.mode = mode
        began = time.monotonic()
        status, body = self.create(f"during{time.monotonic_ns()}")
        self.assertEqual(status, 503, body)
        self.assertLess(time.monotonic() - began, 20)
        self.recovers()

    def test_a_store_that_answers_503_gives_503_and_recovers(self):
        self.unavailable("503")

    def test_a_store_that_sends_half_an_answer_gives_503_and_recovers(self):
        self.unavailable("half")

    def test_a_store_that_is_silent_gives_503_and_recovers(self):
        self.unavailable("silent")

    def test_a_store_that_is_frozen_gives_503_and_recovers(self):
        for pid in self.rgw["pids"].values():
            os.kill(pid, signal.SIGSTOP)
        try:
            status, body = self.create(f"frozen{time.monotonic_ns()}")
            self.assertEqual(status, 503, body)
        finally:
            for pid in self.rgw["pids"].values():
                os.kill(pid, signal.SIGCONT)
        self.recovers()

    def test_no_acknowledged_table_is_lost_by_a_kill(self):
        made = [f"kept{i}" for i in range(5)]
        for name in made:
            self.assertEqual(self.create(name)[0], 200)
        self.desk.kill()
        self.desk.start()
        h.wait_for("the token is good after the restart",
                   lambda: self.desk.call("GET", "/v1/analytics/namespaces/sales/tables", self.token)[0] == 200)
        _, body = self.desk.call("GET", "/v1/analytics/namespaces/sales/tables", self.token)
        names = [i["name"] for i in body["identifiers"]]
        self.assertTrue(set(made) <= set(names), names)

    def test_a_full_disk_is_503_and_nothing_is_lost(self):
        small = tempfile.mkdtemp(prefix="fd-small-")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], stderr=subprocess.DEVNULL)
        if mounted.returncode != 0:
            self.skipTest("no right to mount a small file system")
        desk = None
        try:
            # A state folder of its own: the first program goes on beside it.
            state = h.Folder(self.base)
            state.state += "2"
            desk = h.Frontdesk(*state.options(), "--store", "sqlite:" + os.path.join(small, "catalog.db"))
            token = state.token(desk)
            seen, status = 0, 200
            for i in range(4000):
                status, body = desk.call("POST", "/v1/analytics/namespaces", token,
                                         {"namespace": [f"n{i}"], "properties": {"fill": "x" * 4000}})
                if status != 200:
                    break
                seen += 1
            self.assertEqual(status, 503, body)
            _, body = desk.call("GET", "/v1/analytics/namespaces", token)
            self.assertEqual(len(body["namespaces"]), seen)
            subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
            h.wait_for("room again", lambda: desk.call("POST", "/v1/analytics/namespaces", token,
                                                       {"namespace": ["room"], "properties": {}})[0] == 200)
        finally:
            if desk:
                desk.kill()
            subprocess.run(["umount", "-l", small], check=False)


class CommandLine(unittest.TestCase):
    def test_the_manual_page_and_help_name_the_same_options_in_the_same_words(self):
        import re

        shown = subprocess.run([h.program(), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        options = re.findall(r"^  (-\S+) (\S+) +(.+)$", shown, re.M)
        with open(os.path.join(h.TOP, "docs", "frontdesk.1")) as f:
            page = f.read().replace("\\-", "-")
        self.assertGreater(len(options), 15)
        for name, _, text in options:
            self.assertIn(name, page)
            self.assertIn(text, page, name)
        for name in re.findall(r"^\.B (-\S+)", page, re.M):
            self.assertIn(name, shown)

    def test_an_option_that_is_given_twice_is_told(self):
        for option, told in (("--state", True), ("--namespace", False)):
            done = subprocess.run([h.program(), "explain", "--principal", "p", "--table", "a.b.c", "--resources", "/nowhere",
                                   option, "one", option, "two"], stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertEqual("given more than once" in done.stderr and f'"option":"{option}"' in done.stderr.replace(": ", ":"), told)

    def test_wrong_usage_is_2_and_names_the_option(self):
        done = subprocess.run([h.program(), "run", "--no-such-option"], stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--no-such-option", done.stderr)
