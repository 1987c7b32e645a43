"""What fields of a StorageIntegration do at a real store."""
import http.client
import http.server
import json
import threading
import urllib.parse

import harness as h
from e2e_folder import Desk


def template(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Objects", "Effect": "Allow", "Action": list(actions),
         "Resource": "arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{{.Bucket}}",
         "Condition": {"StringLike": {"s3:prefix": ["{{.KeyPrefix}}/*"]}}}]}, indent=1)


class Templates(Desk):
    """Session policies of the user's own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        own = h.integration(cls.endpoint(), name="own", allowedLocations=["s3://warehouse/own/*"], policyTemplates={
            "read": template("s3:GetObject"), "write": template("s3:GetObject", "s3:PutObject", "s3:DeleteObject")})
        cls.folder.write("own.yaml", own, h.catalog("own", storageIntegrationRef={"name": "own"}),
                         h.role("own-writer", catalog_name="own", privileges=[
                             "NAMESPACE_FULL_METADATA", "TABLE_FULL_METADATA", "TABLE_WRITE_DATA"]))
        h.wait_for("the catalog", lambda: cls.desk.call(
            "POST", "/v1/own/namespaces", cls.token, {"namespace": ["sales"], "properties": {}})[0] == 200, 60)

    def vend(self, name, **properties):
        def created():
            status, body = self.desk.call(
                "POST", "/v1/own/namespaces/sales/tables", self.token,
                {"name": name, "schema": h.SIMPLE_SCHEMA, "location": f"s3://warehouse/own/sales/{name}",
                 "properties": properties}, X_Iceberg_Access_Delegation="vended-credentials")
            return body if status == 200 else None
        body = h.wait_for("a table", created, 60)
        return self.rgw.with_key(body["config"])

    def test_a_template_opens_every_folder_of_a_table(self):
        store = self.vend("spread", **{"write.data.path": "s3://warehouse/own/data/spread"})
        for key in ("own/sales/spread/metadata/x", "own/data/spread/y"):
            self.assertEqual(h.status_of(store.put_object, Bucket="warehouse", Key=key, Body=b"1"), 200, key)
            self.assertEqual(h.status_of(store.get_object, Bucket="warehouse", Key=key), 200, key)
        for key in ("own/data/spread2/y", "own/sales/z", "own/x"):
            self.assertEqual(h.status_of(store.put_object, Bucket="warehouse", Key=key, Body=b"1"), 403, key)

    def test_a_template_for_writing_does_not_delete_for_one_who_may_not(self):
        store = self.vend("kept")
        key = "own/sales/kept/data/x"
        self.assertEqual(h.status_of(store.put_object, Bucket="warehouse", Key=key, Body=b"1"), 200)
        self.assertEqual(h.status_of(store.delete_object, Bucket="warehouse", Key=key), 403)


class Recorder(http.server.ThreadingHTTPServer):
    """A token service: what a real one answers, with AWS's rules for tags, which the real one forgets."""

    def __init__(self, store):
        self.store, self.asked, self.refuse, self.room = urllib.parse.urlsplit(store).netloc, [], False, 10
        super().__init__(("127.0.0.1", 0), Relay)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def judge(self, form):
        tags = [form[k][0] for k in sorted(form) if k.startswith("Tags.member.") and k.endswith(".Key")]
        if tags and self.refuse:
            return 403, "AccessDenied"
        return (400, "PackedPolicyTooLarge") if len(tags) > self.room else (0, "")


class Relay(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = urllib.parse.parse_qs(body.decode())
        self.server.asked.append(form)
        status, code = self.server.judge(form)
        answer = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()
        if not status:
            store = http.client.HTTPConnection(self.server.store)
            store.request("POST", self.path, body, dict(self.headers))
            got = store.getresponse()
            status, answer = got.status, got.read()
            store.close()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def compact(document):
    """Without blanks: boto3 sends them as '+', which RGW takes literally."""
    return json.dumps(document, separators=(",", ":"))


class Tags(Desk):
    """Session tags, as AWS takes them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/" + cls.rgw["user"]["uid"]]},
            "Action": ["sts:AssumeRole"], "Condition": {"Null": {"aws:TokenIssueTime": "true"}}}]}
        cls.rgw.iam.create_role(RoleName="tagged", AssumeRolePolicyDocument=compact(trust))
        cls.rgw.iam.put_role_policy(RoleName="tagged", PolicyName="p", PolicyDocument=compact({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))

    def take(self, name, service, **tags):
        """A credential for a new table of a new catalog behind that service."""
        spec = h.integration(self.endpoint(), name=name, provider="aws", management="None", stsEndpoint=service.uri,
                             roleArn="arn:aws:iam:::role/tagged", allowedLocations=[f"s3://warehouse/{name}/*"],
                             sessionTags=tags)
        del spec["spec"]["adminCredentialsSecretRef"]
        self.folder.write(name + ".yaml", spec, h.catalog(name, storageIntegrationRef={"name": name}),
                          h.role(name, catalog_name=name))
        h.wait_for("the catalog", lambda: self.desk.call(
            "POST", f"/v1/{name}/namespaces", self.token, {"namespace": ["sales"], "properties": {}})[0] == 200, 60)

        def vended():
            status, body = self.desk.call(
                "POST", f"/v1/{name}/namespaces/sales/tables", self.token, {"name": "t", "schema": h.SIMPLE_SCHEMA},
                X_Iceberg_Access_Delegation="vended-credentials",
                traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            return body if status == 200 else None
        self.assertIn("s3.session-token", h.wait_for("a key", vended, 30)["config"])
        asked = [f for f in service.asked if f["RoleSessionName"][0].startswith("lakehouse-etl")]
        return {asked[-1][f"Tags.member.{i}.Key"][0]: asked[-1][f"Tags.member.{i}.Value"][0]
                for i in range(1, 10) if f"Tags.member.{i}.Key" in asked[-1]}, asked[-1]

    def recorder(self):
        service = Recorder(self.rgw.endpoint)
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        return service

    def test_a_session_says_who_and_which_table(self):
        tags, form = self.take("plain", self.recorder())
        self.assertEqual({k: tags[k] for k in tags if k != "polaris:request-id"}, {
            "polaris:principal": "lakehouse/etl", "polaris:table": "t", "polaris:namespace": "sales",
            "polaris:catalog": "plain"})
        self.assertNotIn("TransitiveTagKeys.member.1", form)

    def test_tags_are_passed_on_and_bear_the_trace_where_that_is_wanted(self):
        tags, form = self.take("passed", self.recorder(), transitive=True, traceId=True)
        self.assertEqual(tags["polaris:trace-id"], "0af7651916cd43dd8448eb211c80319c")
        self.assertEqual(form["TransitiveTagKeys.member.6"], ["polaris:trace-id"])

    def test_a_role_that_does_not_let_us_tag_is_used_without(self):
        service = self.recorder()
        service.refuse = True
        self.assertEqual(self.take("refused", service)[0], {})

    def test_where_tags_do_not_fit_the_least_go_first(self):
        service = self.recorder()
        service.room = 2
        self.assertEqual(list(self.take("narrow", service)[0]), ["polaris:principal", "polaris:table"])


class BucketPolicy(Desk):
    """Our statement in the bucket's policy, and everybody else's."""

    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
              "Resource": "arn:aws:s3:::shared/secret/*"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rgw.bucket("shared")
        cls.rgw.s3.put_bucket_policy(Bucket="shared", Policy=compact({"Version": "2012-10-17", "Statement": [cls.theirs]}))

    def statements(self):
        from botocore.exceptions import ClientError

        try:
            return json.loads(self.rgw.s3.get_bucket_policy(Bucket="shared")["Policy"])["Statement"]
        except ClientError:
            return []

    def put(self, word):
        self.folder.write("shared.yaml", h.integration(
            self.endpoint(), name="shared", bucket="shared", bucketPolicy=word))

    def test_our_statement_comes_and_goes_and_theirs_stays(self):
        def sids():
            return sorted(s["Sid"][:9] for s in self.statements())
        self.put("Managed")
        h.wait_for("our statements", lambda: sids() == ["Frontdesk", "Frontdesk", "Theirs"])
        self.assertIn(self.theirs, self.statements())
        self.put("None")
        h.wait_for("them to go", lambda: sids() == ["Theirs"])
        self.put("Managed")
        h.wait_for("our statements", lambda: len(sids()) == 3)
        self.folder.remove("shared.yaml")
        h.wait_for("them to go", lambda: sids() == ["Theirs"])
        self.assertEqual(self.statements(), [self.theirs])
        h.wait_for("the role to go", lambda: "frontdesk-lakehouse-shared" not in self.rgw.roles())
