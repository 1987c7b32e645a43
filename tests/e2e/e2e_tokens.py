"""Our own tokens: renewed for as long as somebody asks, and ended with what they follow from."""
import base64
import json
import os
import re
import shutil
import tempfile
import time
import unittest
import urllib.parse

import harness as h

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
PATH = "/v1/analytics/namespaces"


def claims_of(token, part=1):
    text = token.split(".")[part]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Lake(unittest.TestCase):
    """A program of its own for each claim, since its keys and its clock are what is tried."""
    TTL = 3600

    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="fd-tokens-")
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.folder = h.Folder(self.base)
        self.folder.write("lakehouse.yaml", h.file_integration(), h.catalog(), h.role())
        self.folder.write("etl.yaml", h.principal())
        self.desk = h.Frontdesk(*self.folder.options(), "--file-storage", self.base, "--token-ttl", str(self.TTL), folder=self.base)
        self.addCleanup(self.desk.kill)
        self.token = self.folder.token(self.desk)
        self.client = self.folder.credentials()

    def post(self, authorization=None, **form):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorization:
            headers["Authorization"] = authorization
        status, body, _ = self.desk.get(self.desk.uri + "/v1/oauth/tokens", headers, "POST", urllib.parse.urlencode(form).encode())
        return status, json.loads(body)

    def exchange(self, token, authorization=None, **more):
        """As Iceberg's Java client asks, field by field."""
        return self.post(authorization or "Bearer " + token, grant_type=EXCHANGE, scope="catalog", subject_token=token,
                         subject_token_type=ACCESS_TOKEN, **more)

    def login(self):
        status, body = self.post(grant_type="client_credentials", client_id=self.client["client-id"],
                                 client_secret=self.client["client-secret"])
        return body["access_token"] if status == 200 else None

    def basic(self):
        pair = self.client["client-id"] + ":" + self.client["client-secret"]
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def status_with(self, token):
        return self.desk.call("GET", PATH, token)[0]


class Renewal(Lake):
    TTL = 4

    def test_a_token_is_renewed_across_lives_and_a_restart(self):
        first = token = self.login()
        for life in range(3):
            # As the client would: where the machine was so slow that the token has expired, beside its secret.
            status, body = self.exchange(token, None if time.time() < claims_of(token)["exp"] else self.basic())
            self.assertEqual((status, body.get("expires_in"), body.get("issued_token_type")), (200, self.TTL, ACCESS_TOKEN), body)
            token = body["access_token"]
            if time.time() < claims_of(token)["exp"]:
                self.assertEqual(self.status_with(token), 200)
            if life == 1:
                self.desk.stop()
                self.desk.start()
            # Until this one's next-to-last second, however long the machine took.
            time.sleep(max(0, claims_of(token)["exp"] - 1 - time.time()))
        h.wait_for("the first token has expired", lambda: self.status_with(first) == 401)
        status, body = self.exchange(first)
        self.assertEqual((status, body["error"]), (400, "invalid_request"), body)
        # A computer that slept: the client's secret stands beside the expired token.
        status, body = self.exchange(first, self.basic())
        self.assertEqual(status, 200, body)
        self.assertEqual(self.status_with(body["access_token"]), 200)


class Ends(Lake):
    def signing_secret(self):
        return os.path.join(self.folder.state, "secrets", "Secret.frontdesk.frontdesk-token-keys.yaml")

    def test_a_deleted_signing_key_is_out_without_a_restart_and_another_signs(self):
        kid = claims_of(self.token, 0)["kid"]
        os.unlink(self.signing_secret())
        h.wait_for_loops("its tokens are refused", lambda: self.status_with(self.token) == 401)
        fresh = h.wait_for("another key signs", self.login)
        self.assertNotEqual(claims_of(fresh, 0)["kid"], kid)
        h.wait_for_loops("its tokens are taken", lambda: self.status_with(fresh) == 200)
        self.assertEqual(self.exchange(self.token)[0], 400)

    def test_an_annotated_signing_key_is_turned_and_no_token_is_lost(self):
        kid = claims_of(self.token, 0)["kid"]
        with open(self.signing_secret()) as f:
            text = f.read()
        turned = re.sub(r"(?m)^(\s*)(\"?name\"?: *\"?frontdesk-token-keys\"?.*)$",
                        r'\1\2\n\1annotations: {"polaris.apache.org/rotate-requested-at": "monday"}', text)
        self.assertNotEqual(turned, text)
        with open(self.signing_secret() + ".tmp", "w") as f:
            f.write(turned)
        os.rename(self.signing_secret() + ".tmp", self.signing_secret())

        def another():
            self.assertEqual(self.status_with(self.token), 200)
            token = self.login()
            return claims_of(token, 0)["kid"] != kid and token
        fresh = h.wait_for("another key signs", another)
        h.wait_for_loops("both are taken", lambda: (self.status_with(fresh), self.status_with(self.token)) == (200, 200))
        status, body = self.exchange(self.token)
        self.assertEqual((status, claims_of(body["access_token"], 0)["kid"]), (200, claims_of(fresh, 0)["kid"]))

    def test_a_principal_made_anew_beside_its_kept_secret_revives_no_token(self):
        self.folder.remove("etl.yaml")
        h.wait_for_loops("it is out", lambda: self.status_with(self.token) == 401)
        self.folder.write("etl.yaml", h.principal())
        fresh = h.wait_for("it is in again", self.login)
        self.assertEqual(claims_of(fresh)["client_id"], claims_of(self.token)["client_id"])
        h.wait_for_loops("its new tokens are taken", lambda: self.status_with(fresh) == 200)
        self.assertEqual(self.status_with(self.token), 401)
        self.assertEqual(self.exchange(self.token)[0], 400)

    def test_a_rotation_without_overlap_ends_what_the_old_secret_got(self):
        rotated = h.principal()
        rotated["spec"]["clientCredentials"]["rotationOverlapSeconds"] = 0
        rotated["metadata"]["annotations"] = {"polaris.apache.org/rotate-requested-at": "monday"}
        renewed = self.exchange(self.token)[1]["access_token"]
        self.folder.write("etl.yaml", rotated)
        h.wait_for_loops("the old secret's token is out", lambda: self.status_with(self.token) == 401)
        self.assertEqual(self.status_with(renewed), 401)
        self.assertEqual(self.exchange(renewed)[0], 400)
        self.assertEqual(self.exchange(renewed, self.basic())[0], 401)
        self.client = h.wait_for("the new secret", lambda: (c := self.folder.credentials()) != self.client and c)
        h.wait_for("it logs in", self.login)
