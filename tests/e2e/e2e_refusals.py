"""Tokens that are none: each is 401 in Iceberg's words, and one audit record without the token in it."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import threading
import time

import e2e_folder
import harness as h
from e2e_folder import b64

PATH = "/v1/analytics/namespaces"


def signed(head, claims, key):
    text = f"{b64(head)}.{b64(claims)}"
    return text + "." + b64(hmac.new(key, text.encode(), hashlib.sha256).digest())


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def check_refused(case, desk, token, name, statuses=(401,)):
    """Asks once; the request's own agent name finds its record."""
    agent = f"case-{name}-{time.monotonic_ns()}"
    status, body = desk.call("GET", PATH, token, User_Agent=agent)
    case.assertIn(status, statuses, (name, body))
    case.assertEqual(body["error"]["code"], status, name)
    case.assertEqual(body["error"]["type"], "NotAuthorizedException" if status == 401 else "ForbiddenException", name)
    case.assertTrue(body["error"]["message"], name)

    def record():
        return [r for r in desk.audit() if r.get("userAgent") == agent]
    found = h.wait_for(f"the record of {name}", record)
    case.assertEqual([(r["status"], r["decision"]) for r in found], [(status, "denied")], name)
    case.assertTrue(found[0]["reason"], name)
    case.assertNotIn("accessKeyId", found[0], name)
    if len(token) > 20:
        case.assertNotIn(token.rsplit(".", 1)[-1] or token, json.dumps(found), name)


class OurTokens(e2e_folder.Desk):
    def signing_key(self):
        """As whoever can read the state folder could: (kid, key)."""
        for root, _, files in os.walk(self.folder.state):
            for file in files:
                if "frontdesk-token-keys" in file:
                    with open(os.path.join(root, file)) as f:
                        found = dict(re.findall(r"^\s*\"?([\w-]+)\"?:\s*\"?([A-Za-z0-9+/=]+)\"?,?\s*$", f.read(), re.M))
                    data = {k: base64.b64decode(found[k]) for k in ("kid", "key")}
                    return data["kid"].decode(), data["key"]
        raise AssertionError("no signing key in the state folder")

    def test_every_wrong_token_is_refused_and_on_record_once(self):
        head, _, signature = self.token.split(".")
        kid, key = self.signing_key()
        good, now = claims_of(self.token), int(time.time())
        ours = {"alg": "HS256", "typ": "JWT", "kid": kid}
        # The key is the right one: were this refused, the cases below would prove nothing.
        self.assertEqual(self.desk.call("GET", PATH, signed(ours, good, key))[0], 200)
        cases = {
            "nonsense": "x", "three-dots": "...", "no-claims": f"{head}..{signature}",
            "other-key": signed(ours, good, b"guess" * 8),
            "alg-none": f"{b64({'alg': 'none', 'kid': kid})}.{b64(good)}.",
            "alg-hs512": signed({**ours, "alg": "HS512"}, good, key),
            "unknown-kid": signed({**ours, "kid": "other"}, good, key),
            "expired": signed(ours, {**good, "iat": now - 7200, "exp": now - 3600}, key),
            "no-expiry": signed(ours, {k: v for k, v in good.items() if k != "exp"}, key),
            "not-yet": signed(ours, {**good, "nbf": now + 3600}, key),
            "other-issuer": signed(ours, {**good, "iss": "https://elsewhere"}, key),
            "no-issuer": signed(ours, {k: v for k, v in good.items() if k != "iss"}, key),
            "nobody": signed(ours, {**good, "sub": "lakehouse/nobody"}, key),
            "earlier-client": signed(ours, {**good, "client_id": "an-older-id"}, key),
            "unbound": signed(ours, {k: v for k, v in good.items() if k != "bound"}, key),
            "another-secrets": signed(ours, {**good, "bound": good["bound"][::-1]}, key),
            "no-client": signed(ours, {k: v for k, v in good.items() if k != "client_id"}, key),
            "foreign-role": signed(ours, {**good, "role": "admins"}, key),
            "critical-header": signed({**ours, "crit": ["exp"]}, good, key),
            "oversized": signed(ours, {**good, "fill": "x" * 9000}, key),
        }
        for name, token in cases.items():
            with self.subTest(name):
                check_refused(self, self.desk, token, name)

    def test_no_token_at_all_is_refused_and_on_record_once(self):
        check_refused(self, self.desk, "", "empty")
        status, body, headers = self.desk.get(self.desk.uri + PATH, {"User-Agent": "case-none"})
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))
        self.assertEqual(json.loads(body)["error"]["type"], "NotAuthorizedException")
        found = h.wait_for("its record", lambda: [r for r in self.desk.audit() if r.get("userAgent") == "case-none"])
        self.assertEqual(len(found), 1)

    def test_a_deleted_principals_token_is_refused_and_on_record_once(self):
        self.folder.write("guest.yaml", h.principal("guest"), h.role("guest-role", principals=[{"kind": "Principal", "name": "guest"}]))
        token = self.folder.token(self.desk, "guest")
        self.folder.remove("guest.yaml")
        h.wait_for_loops("the guest is out", lambda: self.desk.call("GET", PATH, token)[0] == 401)
        check_refused(self, self.desk, token, "deleted-principal")

    def test_a_flood_of_refusals_is_on_record_each_and_in_the_log_seldom(self):
        before = len(self.desk.said(msg="request refused"))
        began = time.monotonic()
        for _ in range(300):
            self.desk.call("GET", PATH, "a.b.c", User_Agent="flood")
        seconds = time.monotonic() - began
        h.wait_for("300 records", lambda: len([r for r in self.desk.audit() if r.get("userAgent") == "flood"]) == 300)
        # At most one a second from each of the two loops.
        self.assertLessEqual(len(self.desk.said(msg="request refused")) - before, 2 * (seconds + 2))

    def test_a_flood_of_wrong_secrets_is_in_the_log_seldom(self):
        before = len(self.desk.said(msg="login refused"))
        began = time.monotonic()
        for _ in range(300):
            self.desk.get(self.desk.uri + "/v1/oauth/tokens", method="POST", body=b"grant_type=client_credentials&client_id=x&client_secret=y",
                          headers={"User-Agent": "guesser"})
        seconds = time.monotonic() - began
        h.wait_for("300 records", lambda: len([r for r in self.desk.audit() if r.get("userAgent") == "guesser"]) == 300)
        self.assertLessEqual(len(self.desk.said(msg="login refused")) - before, 2 * (seconds + 2))


class ClusterTokens(h.Cluster):
    """Those of service accounts, verified with the cluster's keys."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kube.kubectl("create", "serviceaccount", "spark", "-n", h.NAMESPACE)
        cls.kube.apply(h.key_secret("store-keys", {"access_key": "a", "secret_key": "b"}),
                       h.integration("http://127.0.0.1:1", adminCredentialsSecretRef={"name": "store-keys"}), h.catalog(),
                       h.role("spark-role", principals=[{"kind": "ServiceAccount", "name": "spark"}]))
        cls.desk = h.Frontdesk("--kubeconfig", cls.kube.kubeconfig)
        cls.addClassCleanup(cls.desk.kill)
        cls.token = cls.new_token()
        h.wait_for_loops("the token is taken", lambda: cls.desk.call("GET", PATH, cls.token)[0] == 200)

    @classmethod
    def new_token(cls, audience="frontdesk"):
        return cls.kube.kubectl("create", "token", "spark", "-n", h.NAMESPACE, "--audience", audience).strip()

    def public_keys(self):
        """Every form in which the cluster's public key might be taken for a secret."""
        key = json.loads(self.kube.kubectl("get", "--raw", "/openid/v1/jwks"))["keys"][0]
        text = json.dumps(key, separators=(",", ":")).encode()
        modulus = key.get("n") or key.get("x")
        raw = base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))
        return {"jwk": text, "modulus": raw, "modulus-text": modulus.encode()}

    def test_the_public_key_is_no_secret_to_sign_with(self):
        head = json.loads(base64.urlsafe_b64decode(self.token.split(".")[0] + "=="))
        for name, key in self.public_keys().items():
            for alg in ("HS256", "none"):
                with self.subTest(name + alg):
                    check_refused(self, self.desk, signed({**head, "alg": alg}, claims_of(self.token), key), f"confused-{name}-{alg}")

    def test_a_foreign_audience_and_changed_claims_are_refused(self):
        head, _, signature = self.token.split(".")
        check_refused(self, self.desk, self.new_token("other"), "audience")
        admin = {**claims_of(self.token), "sub": f"system:serviceaccount:{h.NAMESPACE}:admin"}
        check_refused(self, self.desk, f"{head}.{b64(admin)}.{signature}", "changed")

    def test_an_account_that_no_role_names_is_refused(self):
        self.kube.kubectl("create", "serviceaccount", "stranger", "-n", h.NAMESPACE)
        token = self.kube.kubectl("create", "token", "stranger", "-n", h.NAMESPACE, "--audience", "frontdesk").strip()
        check_refused(self, self.desk, token, "stranger")

    def test_unknown_keys_asked_for_while_it_ends_are_no_harm(self):
        """Each asks control for the key set, while control is being taken down."""
        unknown = f"{b64({'alg': 'RS256', 'kid': 'unknown'})}.{b64(claims_of(self.token))}.{b64(b'x' * 256)}"
        for _ in range(3):
            ending = threading.Event()

            def ask(ending=ending):
                while not ending.is_set():
                    try:
                        self.desk.call("GET", PATH, unknown)
                    except (OSError, http.client.HTTPException):
                        return
            askers = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
            for a in askers:
                a.start()
            h.wait_for("refusals", lambda: self.desk.said(msg="request refused"))
            self.desk.stop()
            ending.set()
            for a in askers:
                a.join(30)
            self.desk.start()

    def test_the_token_of_a_deleted_account_is_refused_also_when_it_is_made_anew(self):
        old = self.new_token()
        h.wait_for("it is taken", lambda: self.desk.call("GET", PATH, old)[0] == 200)
        self.kube.delete("serviceaccount", "spark")
        h.wait_for_loops("it is out", lambda: self.desk.call("GET", PATH, old)[0] == 401)
        check_refused(self, self.desk, old, "deleted-account")
        self.kube.kubectl("create", "serviceaccount", "spark", "-n", h.NAMESPACE)
        fresh = self.new_token()
        h.wait_for_loops("the new one is taken", lambda: self.desk.call("GET", PATH, fresh)[0] == 200)
        check_refused(self, self.desk, old, "earlier-account")
