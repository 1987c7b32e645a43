"""Keys that the place gives: the environment, a container's service, an instance's; with a real RGW behind them."""
import datetime
import http.server
import json
import os
import re
import shutil
import tempfile
import threading
import unittest

import harness as h

ROLES = "/latest/meta-data/iam/security-credentials/"


class Giver(http.server.ThreadingHTTPServer):
    """The services that AWS puts beside a program, as strict as they are; `asked` is what came."""

    def __init__(self, key, life=3600):
        self.key, self.life, self.asked, self.tokens = key, life, [], {"first-token"}
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self):
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.life)
        return json.dumps({"Code": "Success", "AccessKeyId": self.key["access_key"], "SecretAccessKey":
                           self.key["secret_key"], "Token": "", "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((self.command, self.path, dict(self.headers), body))

    def do_PUT(self):
        self.note()
        good = self.path == "/latest/api/token" and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self.send(200 if good else 400, "session" if good else "")

    def do_POST(self):
        self.note()
        self.send(403, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>")

    def do_GET(self):
        self.note()
        if self.path == "/container":
            good = self.headers.get("Authorization") in self.server.tokens
            self.send(200 if good else 401, self.server.answer() if good else "{}")
        elif self.headers.get("X-aws-ec2-metadata-token") != "session":
            self.send(401, "")
        elif self.path == ROLES:
            self.send(200, "desk")
        else:
            self.send(200 if self.path == ROLES + "desk" else 404, self.server.answer())


class Ambient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rgw = h.Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        cls.rgw.bucket("warehouse")

    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="fd-ambient-")
        self.addCleanup(shutil.rmtree, self.base, True)
        self.folder = h.Folder(self.base)

    def giver(self, **more):
        giver = Giver(self.rgw["user"], **more)
        self.addCleanup(giver.server_close)
        self.addCleanup(giver.shutdown)
        return giver

    def keyless(self, **spec):
        """A lakehouse whose integration names no Secret of its own; a role for each test."""
        objects = h.lakehouse(self.rgw)[1:]
        del objects[1]["spec"]["credentialsSecretRef"]
        objects[1]["spec"].update(spec, roleArn="arn:aws:iam:::role/" + os.path.basename(self.base).replace("_", "x"))
        return objects

    def start(self, *objects, **env):
        self.folder.write("lakehouse.yaml", *(objects or self.keyless()))
        desk = h.Frontdesk(*self.folder.options(), folder=self.base, env=env)
        self.addCleanup(desk.stop)
        return desk

    def status(self, name="store"):
        """The status as text: members one a line, everything quoted."""
        path = os.path.join(self.folder.state, f"StorageIntegration.lakehouse.{name}.yaml")
        try:
            with open(path) as f:
                return f.read().partition('\n"status":')[2]
        except OSError:
            return ""

    def member(self, name):
        return (re.search(rf'"{name}": "(.*)"', self.status()) or [None, ""])[1]

    def ready(self, name="store"):
        block = self.status(name).partition('- "type": "Ready"')[2].partition('- "type"')[0]
        return dict(re.findall(r'"(status|reason|message)": "(.*)"', block)) or {"status": "", "reason": "", "message": ""}

    def wait_ready(self):
        try:
            h.wait_for("the integration", lambda: self.ready()["status"] == "True")
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.ready()}") from None

    def test_the_environments_key_serves_where_no_secret_is_named(self):
        self.start(AWS_ACCESS_KEY_ID=self.rgw["user"]["access_key"],
                   AWS_SECRET_ACCESS_KEY=self.rgw["user"]["secret_key"])
        self.wait_ready()
        self.assertEqual(self.member("credentialsVersion"), "environment " + self.rgw["user"]["access_key"])

    def test_a_containers_key_is_fetched_again_before_it_ends_with_the_token_of_the_day(self):
        giver = self.giver(life=6)
        path = os.path.join(self.base, "token")
        with open(path, "w") as f:
            f.write("first-token\n")
        self.start(AWS_CONTAINER_CREDENTIALS_FULL_URI=giver.uri + "/container",
                   AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path)
        self.wait_ready()
        probed = self.member("probedAt")
        giver.tokens.add("second-token")
        with open(path + ".new", "w") as f:
            f.write("second-token")
        os.rename(path + ".new", path)
        h.wait_for("a second fetch", lambda: any(a[2].get("Authorization") == "second-token" for a in giver.asked))
        self.assertEqual((self.ready()["status"], self.member("probedAt")), ("True", probed))

    def test_an_instances_key_is_fetched_in_a_session(self):
        giver = self.giver()
        self.start(AWS_EC2_METADATA_SERVICE_ENDPOINT=giver.uri, AWS_EC2_METADATA_DISABLED="false")
        self.wait_ready()
        self.assertEqual([a[:2] for a in giver.asked],
                         [("PUT", "/latest/api/token"), ("GET", ROLES), ("GET", ROLES + "desk")])
        self.assertEqual(self.member("credentialsVersion"), "instance desk")

    def test_a_web_identity_goes_to_the_place_that_the_environment_names_and_to_no_other(self):
        giver, path = self.giver(), os.path.join(self.base, "token")
        elsewhere = self.giver()
        with open(path, "w") as f:
            f.write("ey.identity.x")
        desk = self.start(*self.keyless(stsEndpoint=elsewhere.uri), AWS_ROLE_ARN="arn:aws:iam::123456789012:role/desk",
                          AWS_WEB_IDENTITY_TOKEN_FILE=path, AWS_ENDPOINT_URL_STS=giver.uri)
        h.wait_for("the refusal", lambda: "InvalidIdentityToken" in self.ready()["message"])
        self.assertIn("WebIdentityToken=ey.identity.x", giver.asked[0][3])
        self.assertIn("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdesk", giver.asked[0][3])
        self.assertEqual(elsewhere.asked, [])
        self.assertNotIn("ey.identity.x", desk.tail())

    def test_without_any_key_the_condition_says_what_is_missing(self):
        with open(os.path.join(h.TOP, "config", "samples", "aws", "storage-integration.yaml")) as f:
            self.start(f.read(), AWS_EC2_METADATA_DISABLED="true")
        h.wait_for("the condition", lambda: "names no key, no web" in self.ready("production-warehouse")["message"])
        ready = self.ready("production-warehouse")
        self.assertEqual((ready["status"], ready["reason"]), ("False", "DependencyNotReady"))
        self.assertIn("name a Secret", ready["message"])

    def test_an_address_that_is_not_of_this_machine_is_not_asked(self):
        self.start(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://keys.example.com/x")
        h.wait_for("the condition", lambda: "neither https nor" in self.ready()["message"])
