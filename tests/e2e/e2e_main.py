"""From `kubectl apply` to a key for one table, on a real API server and a real RGW."""
import json
import os
import subprocess
import time

import harness as h


def work(table):
    """What an engine does with its table."""
    import pyarrow as pa

    table.append(pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["a", "b"]}))
    return table.scan().to_arrow().num_rows


class Main(h.ClusterAndStore):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desk = h.Frontdesk("--kubeconfig", cls.kube.kubeconfig, "--resync", "5", "--lease", "5")
        cls.addClassCleanup(cls.desk.kill)
        cls.kube.apply(*h.lakehouse(cls.rgw))
        cls.kube.wait_ready("sti", "store", seconds=60)
        cls.kube.wait_ready("principal.polaris.apache.org", "etl")
        cls.client = cls.kube.secret("etl-credentials")
        cls.table = None

    @classmethod
    def make_table(cls, name="events"):
        import pyarrow as pa

        catalog = cls.desk.pyiceberg(cls.client)
        catalog.create_namespace_if_not_exists("sales")
        table = catalog.create_table(("sales", name), schema=pa.schema([("id", pa.int64()), ("name", pa.string())]))
        return catalog, table

    @classmethod
    def events(cls):
        if cls.table is None:
            _, cls.table = cls.make_table()
        return cls.table

    def vended(self, name="events"):
        token = self.desk.token(self.client)
        status, body = self.desk.call("GET", f"/v1/analytics/namespaces/sales/tables/{name}/credentials", token)
        self.assertEqual(status, 200, body)
        self.assertEqual(len(body["storage-credentials"]), 1)
        return body["storage-credentials"][0]

    def test_every_kind_becomes_ready(self):
        for kind, name in (("sti", "store"), ("pcat", "analytics"), ("prin", "etl"), ("crole", "writer")):
            self.assertEqual(self.kube.wait_ready(kind, name)["reason"], "Reconciled", kind)
        self.assertEqual(self.kube.condition("sti", "store", "ScopeVerified")["status"], "True")

    def test_an_integration_at_aws_without_any_key_applies_and_says_what_is_missing(self):
        with open(os.path.join(h.TOP, "config", "samples", "aws", "storage-integration.yaml")) as f:
            self.kube.kubectl("apply", "-f", "-", stdin=f.read())
        ready = h.wait_for("the condition", lambda: (lambda c: c if "no ambient keys (" in c["message"] else None)(
            self.kube.condition("sti", "production-warehouse")))
        self.assertEqual((ready["status"], ready["reason"]), ("False", "DependencyNotReady"))
        self.assertIn("name a Secret", ready["message"])

    def test_explain_asks_the_cluster(self):
        done = subprocess.run([h.program(), "explain", "--kubeconfig", self.kube.kubeconfig, "--principal", "etl",
                               "--table", "analytics.sales.orders", "-o", "json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual(said["privileges"]["TABLE_WRITE_DATA"], "CatalogRole lakehouse/writer grants[0]")
        self.assertIn("sales/orders-UUID/", said["reach"])

    def test_the_role_at_the_store_bears_our_guard_and_our_marks(self):
        arn = self.kube.get("sti", "store")["status"]["roleArn"]
        role = self.rgw.iam.get_role(RoleName=arn.rsplit("/", 1)[1])["Role"]
        trust = role["AssumeRolePolicyDocument"]
        self.assertIn("aws:TokenIssueTime", json.dumps(trust))
        policies = self.rgw.iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        self.assertEqual(policies, ["frontdesk"])
        tags = json.dumps(self.rgw.iam.list_role_tags(RoleName=role["RoleName"])["Tags"])
        self.assertIn("lakehouse/store", tags)

    def test_pyiceberg_with_an_id_and_a_secret_creates_appends_and_scans(self):
        self.assertEqual(work(self.events()), 2)
        self.assertEqual(work(self.desk.pyiceberg(self.client).load_table("sales.events")), 4)

    def test_pyiceberg_evolves_overwrites_and_deletes(self):
        import pyarrow as pa
        from pyiceberg.types import StringType

        catalog, table = self.make_table("evolving")
        work(table)
        with table.update_schema() as update:
            update.add_column("city", StringType())
        table = catalog.load_table("sales.evolving")
        table.append(pa.table({"id": pa.array([3], pa.int64()), "name": ["c"], "city": ["x"]}))
        table.delete("id = 1")
        self.assertEqual(sorted(table.scan().to_arrow()["id"].to_pylist()), [2, 3])
        table.overwrite(pa.table({"id": pa.array([9], pa.int64()), "name": ["z"], "city": ["y"]}))
        self.assertEqual(table.scan().to_arrow()["id"].to_pylist(), [9])
        with table.transaction() as change:
            change.set_properties(owner="etl")
        self.assertEqual(catalog.load_table("sales.evolving").properties["owner"], "etl")
        catalog.drop_table("sales.evolving")
        self.assertFalse(catalog.table_exists("sales.evolving"))

    def test_the_neighbour_is_refused_by_the_store_with_the_same_key(self):
        self.events()
        _, neighbour = self.make_table("neighbour")
        work(neighbour)
        credential = self.vended()
        s3 = self.rgw.with_key(credential["config"])
        own = credential["prefix"][len("s3://warehouse/"):]
        other = neighbour.location()[len("s3://warehouse/"):] + "/"
        self.assertEqual(h.status_of(s3.put_object, Bucket="warehouse", Key=own + "mine", Body=b"x"), 200)
        existing = neighbour.metadata_location[len("s3://warehouse/"):]
        for claim, call, arguments in (
                ("get", s3.get_object, {"Key": existing}),
                ("head", s3.head_object, {"Key": existing}),
                ("put", s3.put_object, {"Key": other + "x", "Body": b"x"}),
                ("list", s3.list_objects_v2, {"Prefix": other}),
                ("list all", s3.list_objects_v2, {}),
                ("delete", s3.delete_object, {"Key": existing}),
                ("multipart", s3.create_multipart_upload, {"Key": other + "m"}),
                ("copy from", s3.copy_object, {"Key": own + "c", "CopySource": {"Bucket": "warehouse", "Key": existing}}),
                ("copy to", s3.copy_object, {"Key": other + "c", "CopySource": {"Bucket": "warehouse", "Key": own + "mine"}})):
            with self.subTest(claim):
                self.assertEqual(h.status_of(call, Bucket="warehouse", **arguments), 403)

    def test_a_sibling_whose_name_begins_the_same_is_refused(self):
        self.events()
        credential = self.vended()
        s3 = self.rgw.with_key(credential["config"])
        sibling = credential["prefix"][len("s3://warehouse/"):].rstrip("/") + "2/x"
        self.assertEqual(h.status_of(s3.put_object, Bucket="warehouse", Key=sibling, Body=b"x"), 403)

    def test_a_vended_key_cannot_shed_its_policy(self):
        self.events()
        config = self.vended()["config"]
        sts = h.boto("sts", self.rgw.endpoint, {"access_key": config["s3.access-key-id"],
                                                "secret_key": config["s3.secret-access-key"]}, config["s3.session-token"])
        arn = self.kube.get("sti", "store")["status"]["roleArn"]
        self.assertEqual(h.status_of(sts.assume_role, RoleArn=arn, RoleSessionName="again"), 403)

    def test_a_role_edited_to_read_only_takes_the_write_right_at_once(self):
        table = self.events()
        self.kube.patch("crole", "writer", {"grants": [{"privileges": ["TABLE_READ_DATA", "NAMESPACE_LIST"]}]})
        try:
            self.kube.wait_ready("crole", "writer")
            credential = self.vended()
            s3 = self.rgw.with_key(credential["config"])
            own = credential["prefix"][len("s3://warehouse/"):]
            self.assertEqual(h.status_of(s3.put_object, Bucket="warehouse", Key=own + "w", Body=b"x"), 403)
            self.assertEqual(h.status_of(s3.get_object, Bucket="warehouse",
                                         Key=table.metadata_location[len("s3://warehouse/"):]), 200)
        finally:
            self.kube.patch("crole", "writer", {"grants": [{"privileges": h.ALL}]})
            self.kube.wait_ready("crole", "writer")

    def test_a_role_deleted_at_the_store_comes_back(self):
        name = self.kube.get("sti", "store")["status"]["roleArn"].rsplit("/", 1)[1]
        self.rgw.iam.delete_role_policy(RoleName=name, PolicyName="frontdesk")
        self.rgw.iam.delete_role(RoleName=name)
        h.wait_for("the role is back", lambda: name in self.rgw.roles())
        self.kube.wait_ready("sti", "store", seconds=60)
        h.wait_for("keys open the table again", lambda: self.key_works(), 60)

    def key_works(self):
        self.events()
        credential = self.vended()
        s3 = self.rgw.with_key(credential["config"])
        own = credential["prefix"][len("s3://warehouse/"):]
        return h.status_of(s3.put_object, Bucket="warehouse", Key=own + "again", Body=b"x") == 200

    def test_policies_edited_by_hand_are_put_right(self):
        name = self.kube.get("sti", "store")["status"]["roleArn"].rsplit("/", 1)[1]
        open_trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": ["sts:AssumeRole"]}]}
        wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        self.rgw.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(open_trust, separators=(",", ":")))
        self.rgw.iam.put_role_policy(RoleName=name, PolicyName="frontdesk", PolicyDocument=json.dumps(wide, separators=(",", ":")))

        def repaired():
            trust = json.dumps(self.rgw.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
            policy = json.dumps(self.rgw.iam.get_role_policy(RoleName=name, PolicyName="frontdesk")["PolicyDocument"])
            return "TokenIssueTime" in trust and "s3:*" not in policy
        h.wait_for("both documents are ours again", repaired)

    def test_nothing_is_written_when_nothing_is_wrong(self):
        def writes():
            text = self.desk.get(self.desk.admin + "/metrics")[1].decode()
            return [line for line in text.splitlines()
                    if line.startswith(("frontdesk_storage_writes_total", "frontdesk_kube_writes_total"))]

        def reconciles():
            text = self.desk.get(self.desk.admin + "/metrics")[1].decode()
            return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                       if line.startswith("controller_runtime_reconcile_total"))
        def resync_without_writes():
            before, passes = writes(), reconciles()
            h.wait_for("a resync", lambda: reconciles() >= passes + 2)
            return writes() == before
        self.kube.wait_ready("sti", "store")
        h.wait_for("what the tests before have caused is over", resync_without_writes)
        versions = [self.kube.get(k, n)["metadata"]["resourceVersion"] for k, n in (("sti", "store"), ("prin", "etl"))]
        before, passes = writes(), reconciles()
        h.wait_for("two resyncs", lambda: reconciles() >= passes + 2)
        self.assertEqual(writes(), before)
        self.assertEqual([self.kube.get(k, n)["metadata"]["resourceVersion"]
                          for k, n in (("sti", "store"), ("prin", "etl"))], versions)

    def test_a_secret_rotated_by_hand_is_used_without_a_restart(self):
        self.events()
        import subprocess

        subprocess.run(["radosgw-admin", "-c", self.rgw["conf"], "key", "create", "--uid", "lakehouse", "--key-type", "s3",
                        "--access-key", "LAKEHOUSEKEY2", "--secret-key", "LAKEHOUSESECRET2"],
                       check=True, stdout=subprocess.DEVNULL)
        new = {"access_key": "LAKEHOUSEKEY2", "secret_key": "LAKEHOUSESECRET2"}
        self.kube.apply(h.key_secret("store-keys", new))
        subprocess.run(["radosgw-admin", "-c", self.rgw["conf"], "key", "rm", "--uid", "lakehouse", "--key-type", "s3",
                        "--access-key", "LAKEHOUSEKEY"], check=True, stdout=subprocess.DEVNULL)
        self.rgw.s3 = h.boto("s3", self.rgw.endpoint, new)
        h.wait_for("a key minted with the new Secret", lambda: self.key_works(), 60)
        self.kube.wait_ready("sti", "store", seconds=60)

    def test_a_rotated_client_secret_overlaps_with_the_old_one(self):
        old = self.kube.secret("etl-credentials")
        self.kube.kubectl("annotate", "prin", "etl", "-n", h.NAMESPACE,
                          f"{h.GROUP}/rotate-requested-at={time.time()}", "--overwrite")

        def rotated():
            new = self.kube.secret("etl-credentials")
            return new if new["client-secret"] != old["client-secret"] else None
        new = h.wait_for("a new secret", rotated)
        self.assertEqual(new["client-id"], old["client-id"])
        h.wait_for_loops("the new secret is in force", lambda: self.desk.token(new))
        self.assertTrue(self.desk.token(old))
        type(self).client = new

    def test_a_service_account_token_is_a_caller(self):
        self.kube.kubectl("create", "serviceaccount", "spark", "-n", h.NAMESPACE)
        self.kube.apply(h.role("spark-role", principals=[{"kind": "ServiceAccount", "name": "spark"}]))
        self.kube.wait_ready("crole", "spark-role")
        token = self.kube.kubectl("create", "token", "spark", "-n", h.NAMESPACE, "--audience", "frontdesk").strip()
        h.wait_for_loops("the token is taken", lambda: self.desk.call("GET", "/v1/analytics/namespaces", token)[0] == 200)
        other = self.kube.kubectl("create", "token", "spark", "-n", h.NAMESPACE, "--audience", "other").strip()
        self.assertEqual(self.desk.call("GET", "/v1/analytics/namespaces", other)[0], 401)
        self.kube.delete("serviceaccount", "spark")
        h.wait_for("a deleted account's token is refused",
                   lambda: self.desk.call("GET", "/v1/analytics/namespaces", token)[0] in (401, 403))

    def test_a_deleted_principal_is_out_at_once(self):
        self.kube.apply(h.principal("guest"), h.role("guest-role", principals=[{"kind": "Principal", "name": "guest"}]))
        self.kube.wait_ready("prin", "guest")
        client = self.kube.secret("guest-credentials")
        token = h.wait_for("the guest gets in", lambda: self.desk.token(client))
        h.wait_for("granted", lambda: self.desk.call("GET", "/v1/analytics/namespaces", token)[0] == 200)
        self.kube.delete("prin", "guest")
        h.wait_for("the guest is out",
                   lambda: self.desk.call("GET", "/v1/analytics/namespaces", token)[0] in (401, 403))

    def test_wrong_objects_say_what_is_wrong_and_cost_only_themselves(self):
        self.kube.apply(
            h.integration(self.rgw, "no-such-secret", credentialsSecretRef={"name": "nowhere"}),
            h.catalog("no-store", storageIntegrationRef={"name": "nowhere"}),
            h.catalog("overlapping"),
            h.manifest("PrincipalRole", "ghosts", {"members": [{"kind": "Principal", "name": "nobody"}]}),
            h.role("no-catalog", catalog_name="nowhere"))
        for kind, name, field in (("sti", "no-such-secret", "spec.credentialsSecretRef"),
                                  ("pcat", "no-store", "spec.storageIntegrationRef"),
                                  ("pcat", "overlapping", "spec.defaultBaseLocation"),
                                  ("prole", "ghosts", "spec.members[0]"),
                                  ("crole", "no-catalog", "spec.catalogRef")):
            ready = self.kube.wait_ready(kind, name, "False")
            self.assertIn(field, ready["message"], name)
        self.kube.wait_ready("pcat", "analytics")
        self.assertTrue(self.desk.token(self.client))
        for kind, name in (("sti", "no-such-secret"), ("pcat", "no-store"), ("pcat", "overlapping"), ("prole", "ghosts"),
                           ("crole", "no-catalog")):
            self.kube.delete(kind, name)

    def test_a_role_of_somebody_else_is_not_taken_over(self):
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/lakehouse"]},
                                                         "Action": ["sts:AssumeRole"]}]}
        self.rgw.iam.create_role(RoleName="theirs", Path="/", AssumeRolePolicyDocument=json.dumps(trust, separators=(",", ":")))
        self.addCleanup(self.rgw.iam.delete_role, RoleName="theirs")
        self.kube.apply(h.integration(self.rgw, "grabber", roleArn="arn:aws:iam:::role/theirs",
                                      allowedLocations=["s3://warehouse/other/*"]))
        ready = self.kube.wait_ready("sti", "grabber", "False")
        self.assertEqual(ready["reason"], "AdoptionConflict")
        self.assertEqual(self.rgw.iam.list_role_policies(RoleName="theirs")["PolicyNames"], [])
        self.kube.delete("sti", "grabber")
        self.assertIn("theirs", self.rgw.roles())

    def test_a_secret_of_somebody_else_is_not_taken_over(self):
        self.kube.apply(h.secret("theirs", {"password": "kept"}),
                        h.manifest("Principal", "grabby", {"clientCredentials": {"secretName": "theirs"}}))
        ready = self.kube.wait_ready("prin", "grabby", "False")
        self.assertIn("spec.clientCredentials.secretName", ready["message"])
        self.assertEqual(self.kube.secret("theirs"), {"password": "kept"})
        self.kube.delete("secret", "theirs")
        self.kube.wait_ready("prin", "grabby")
        self.assertIn("client-id", self.kube.secret("theirs"))
        self.kube.delete("prin", "grabby")

    def test_observed_reports_and_changes_nothing(self):
        self.kube.apply(h.integration(self.rgw, "watcher", management="Observed", roleArn="arn:aws:iam:::role/absent",
                                      allowedLocations=["s3://warehouse/other/*"]))
        ready = self.kube.wait_ready("sti", "watcher", "False")
        self.assertIn("absent", ready["message"])
        self.assertNotIn("absent", self.rgw.roles())
        self.kube.delete("sti", "watcher")

    def test_the_same_role_is_found_after_a_kill(self):
        before = sorted(self.rgw.roles())
        self.desk.kill()
        self.desk.start()
        self.kube.wait_ready("sti", "store")
        self.assertEqual(sorted(self.rgw.roles()), before)
        h.wait_for("keys are vended again", lambda: self.key_works(), 60)

    def test_zz_all_resources_deleted_leave_nothing_of_ours_at_the_store(self):
        for kind in ("crole", "prole", "prin", "pcat", "sti"):
            self.kube.kubectl("delete", kind, "--all", "-n", h.NAMESPACE, "--timeout=60s")
        self.assertEqual(self.rgw.roles(), [])
        self.desk.stop()
