"""Weaknesses that were published of catalogs of this kind, tried here: with a real store, real keys and a caller that
holds just the rights that the attack takes. Refused means: no key, nothing written anywhere, and on record."""
import json

import e2e_catalog
import e2e_surface
import harness as h

VICTIM, OWN = "lake/victim/", "lake/own/"
S3 = "s3://warehouse/"
WRITE_PATHS = ("write.data.path", "write.metadata.path", "write.object-storage.path", "write.folder-storage.path")


class Attack(e2e_surface.Surface):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for ns in ("bank", "attacker"):
            status, body = cls.desk.call("POST", e2e_surface.V1 + "/namespaces", cls.token, {"namespace": [ns]})
            assert status == 200, body
        cls.make("bank", "victim", S3 + VICTIM)
        cls.make("attacker", "own", S3 + OWN)
        cls.secret = VICTIM + "data/secret.parquet"
        cls.outside = "outside/of/the/lake"
        for key in (cls.secret, cls.outside):
            cls.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=b"secret")
        cls.rgw.bucket("elsewhere")
        # Every version and every delete marker shows, also of what is taken away again.
        cls.rgw.s3.put_bucket_versioning(Bucket="warehouse", VersioningConfiguration={"Status": "Enabled"})

    @classmethod
    def make(cls, ns, name, location):
        status, body = cls.desk.call("POST", f"{e2e_surface.V1}/namespaces/{ns}/tables", cls.token,
                                     {"name": name, "schema": h.SIMPLE_SCHEMA, "location": location.rstrip("/")})
        assert status == 200, body
        return body

    def setUp(self):
        # All that can be held of tables in one namespace: what refuses below is the place and not a missing right.
        self.attacker = self.someone("mallory", {
            "privileges": ["TABLE_FULL_METADATA", "TABLE_WRITE_DATA", "TABLE_DELETE_DATA", "VIEW_FULL_METADATA"],
            "namespaces": ["attacker"]})
        self.refused(self.call("GET", "/namespaces/bank/tables/victim", token=self.attacker), 403, "ForbiddenException")

    def ask(self, path, body, token=None):
        return self.desk.call("POST", e2e_surface.V1 + path, token or self.attacker, body,
                              X_Iceberg_Access_Delegation="vended-credentials")

    def everything(self):
        """All versions of all objects, and what marks a deletion."""
        found = self.rgw.s3.list_object_versions(Bucket="warehouse")
        self.assertFalse(found["IsTruncated"])
        return sorted((o["Key"], o["VersionId"]) for kind in ("Versions", "DeleteMarkers") for o in found.get(kind, []))

    def repelled(self, path, body, operation, statuses=(400, 403)):
        """The request is refused: no key in the answer, nothing written, and a record that says so."""
        before = self.everything()
        status, text, head = self.desk.get(self.desk.uri + e2e_surface.V1 + path, {
            "Authorization": "Bearer " + self.attacker, "Content-Type": "application/json",
            "X-Iceberg-Access-Delegation": "vended-credentials"}, "POST", json.dumps(body).encode())
        answer = json.loads(text)
        self.assertIn(status, statuses, answer)
        self.assertEqual(set(answer), {"error"})
        self.assertNotIn("s3.", json.dumps(answer))
        self.assertEqual(self.everything(), before)
        record, = h.wait_for("its record", lambda: [r for r in self.desk.audit() if r["requestId"] == head["X-Request-Id"]])
        self.assertEqual((record["operation"], record["principal"], record["status"], record["decision"]),
                         (operation, "lakehouse/mallory", status, "denied"))
        self.assertFalse(record.get("accessKeyId"))
        self.assertTrue(record["reason"])

    def opens_only(self, answer, own):
        """The vended key works below `own`, and nowhere else."""
        status, body = answer
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key=own + "data/f", Body=b"x"), 200)
        self.assertEqual(h.status_of(key.list_objects_v2, Bucket="warehouse", Prefix=own), 200)
        before = self.everything()
        for target in (self.secret, VICTIM + "planted", self.outside, "planted"):
            for call, more in ((key.get_object, {}), (key.head_object, {}), (key.put_object, {"Body": b"x"}),
                               (key.delete_object, {}), (key.create_multipart_upload, {})):
                self.assertIn(h.status_of(call, Bucket="warehouse", Key=target, **more), (403, 404), (call, target))
            self.assertEqual(h.status_of(key.copy_object, Bucket="warehouse", Key=own + "stolen",
                                         CopySource={"Bucket": "warehouse", "Key": self.secret}), 403)
        for prefix in (VICTIM, "lake/", "lake", "", own.rstrip("/"), self.outside):
            self.assertEqual(h.status_of(key.list_objects_v2, Bucket="warehouse", Prefix=prefix), 403, prefix)
        self.assertEqual(h.status_of(key.list_buckets), 200 if self.lists_nothing(key) else 403)
        self.assertEqual(self.everything(), before)

    @staticmethod
    def lists_nothing(key):
        try:
            return not key.list_buckets()["Buckets"]
        except Exception:
            return False

    def places(self):
        """Where nobody's table may go: a neighbour's, all of them, outside, and spellings of these."""
        return (S3 + VICTIM.rstrip("/"), S3 + VICTIM, S3 + VICTIM + "data", S3 + "lake", S3 + "lake/", "s3://warehouse", S3,
                S3 + "outside", S3 + "lakeside/t", "s3://elsewhere/t", "s3a://warehouse/lake/victim", "s3n://warehouse/lake/victim/x",
                S3 + "lake/own/../victim", S3 + "lake/own/%2e%2e/victim", S3 + "lake//victim", S3 + "lake/./victim",
                S3 + "lake/vic*", S3 + "lake/victi?", S3 + "lake/${aws:username}", "S3://WAREHOUSE/lake/victim", "file:///lake/victim")

    # CVE-2026-42809: a staged create was answered with keys before its location had been looked at.

    def test_cve_2026_42809_a_staged_create_vends_no_key_for_a_place_of_the_callers_choice(self):
        for staged in (True, False):
            for place in self.places():
                with self.subTest(place, staged=staged):
                    self.repelled("/namespaces/attacker/tables", {"name": "t", "schema": h.SIMPLE_SCHEMA, "location": place,
                                                                  "stage-create": staged}, "create-table")

    def test_cve_2026_42809_nor_for_one_that_is_named_by_a_property(self):
        for name in WRITE_PATHS:
            for place in self.places():
                with self.subTest(name, place=place):
                    self.repelled("/namespaces/attacker/tables", {
                        "name": "t", "schema": h.SIMPLE_SCHEMA, "location": S3 + "lake/fresh", "stage-create": True,
                        "properties": {name: place}}, "create-table")

    def test_cve_2026_42809_the_key_of_a_staged_table_opens_what_was_promised_and_that_stays_promised(self):
        answer = self.ask("/namespaces/attacker/tables", {"name": "promised", "schema": h.SIMPLE_SCHEMA, "stage-create": True,
                                                          "location": S3 + "lake/promised"})
        self.opens_only(answer, "lake/promised/")
        status, _ = self.ask("/namespaces/bank/tables", {"name": "late", "schema": h.SIMPLE_SCHEMA,
                                                         "location": S3 + "lake/promised/data"}, self.token)
        self.assertEqual(status, 403)

    def test_cve_2026_42809_nor_once_it_was_promised_without_them(self):
        body = {"name": "again", "schema": h.SIMPLE_SCHEMA, "location": S3 + "lake/again", "stage-create": True}
        self.opens_only(self.ask("/namespaces/attacker/tables", body), "lake/again/")
        for name in WRITE_PATHS:
            self.repelled("/namespaces/attacker/tables", {**body, "properties": {name: S3 + VICTIM}}, "create-table", (403,))

    def test_cve_2026_42809_a_folder_that_keys_were_given_for_stays_promised_when_the_table_comes_without_it(self):
        status, body = self.ask("/namespaces/attacker/tables", {
            "name": "shrinks", "schema": h.SIMPLE_SCHEMA, "location": S3 + "lake/shrinks", "stage-create": True,
            "properties": {"write.data.path": S3 + "lake/shrinks-data"}})
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/shrinks-data/f", Body=b"x"), 200)
        status, body = self.ask("/namespaces/attacker/tables", {"name": "shrinks", "schema": h.SIMPLE_SCHEMA,
                                                                "location": S3 + "lake/shrinks"})
        self.assertEqual(status, 200, body)
        status, _ = self.ask("/namespaces/bank/tables", {"name": "heir", "schema": h.SIMPLE_SCHEMA,
                                                         "location": S3 + "lake/shrinks-data"}, self.token)
        self.assertEqual(status, 403)

    # CVE-2026-42810: '*' in a name stood in the policy as a wildcard, so the key of *.* opened every table.

    def test_cve_2026_42810_wildcards_in_names_widen_no_key(self):
        for levels in (["attacker"], ["attacker", "*"], ["attacker", "f*"], ["attacker", "?"], ["attacker", "${aws:userid}"]):
            self.namespace(*levels)
            path = "/namespaces/" + "%1F".join(h.urllib.parse.quote(x, safe="") for x in levels) + "/tables"
            for name in ("*", "*.*", "foo.*", "vic*", "victi?", "${aws:username}", "[v]ictim", "t*/../../victim"):
                with self.subTest(levels=levels, name=name):
                    status, body = self.ask(path, {"name": name, "schema": h.SIMPLE_SCHEMA})
                    self.assertEqual(status, 200, body)
                    own = body["metadata"]["location"].removeprefix(S3) + "/"
                    self.assertRegex(own, r"^lake/[A-Za-z0-9_.=/-]+/$")
                    self.opens_only((status, body), own)
                    self.assertEqual(self.call("DELETE", path + "/" + h.urllib.parse.quote(name, safe=""), token=self.attacker)[0], 204)

    def test_cve_2026_42810_a_wildcard_is_no_location_wherever_it_comes_from(self):
        self.repelled("/namespaces/attacker/tables/own", {"requirements": [], "updates": [
            {"action": "set-location", "location": S3 + "lake/*"}]}, "commit-table")
        before = self.everything()
        for path, body in (("/namespaces", {"namespace": ["wild"], "properties": {"location": S3 + "lake/*"}}),
                           ("/namespaces/attacker/properties", {"updates": {"location": S3 + "lake/v?ctim"}})):
            self.assertEqual(self.ask(path, body, self.token)[0], 400)
        self.assertEqual(self.everything(), before)

    # CVE-2026-42811: a quote in a name ended the text in a policy, and what followed was part of the condition. That was
    # the language of another store; here names come into JSON, into the form sent to the token service, and into tags.

    def test_cve_2026_42811_a_name_ends_no_text_in_a_policy(self):
        for name in ("x') || true || ('", "x\") || true || (\"", 'x"]},{"Action":"*"},{"S":["',
                     "x\\", "x\\\"", "x&Policy=%7B%7D&RoleSessionName=y", "x\u2028", "x</Policy>", "resource.name.startsWith('')",
                     "x%22%5D", "'", '"'):
            for levels in (["attacker"], ["attacker", name]):
                with self.subTest(name, levels=levels):
                    self.namespace(*levels)
                    path = "/namespaces/" + "%1F".join(h.urllib.parse.quote(x, safe="") for x in levels) + "/tables"
                    status, body = self.ask(path, {"name": name, "schema": h.SIMPLE_SCHEMA})
                    self.assertEqual(status, 200, body)
                    self.opens_only((status, body), body["metadata"]["location"].removeprefix(S3) + "/")

    def test_cve_2026_42811_nor_does_a_location(self):
        for tail in ("x') || true || ('", 'x"]},{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":["', "x\\", "x&Policy=%7B%7D"):
            with self.subTest(tail):
                status, body = self.ask("/namespaces/attacker/tables", {"name": "q" + str(len(tail)), "schema": h.SIMPLE_SCHEMA,
                                                                        "location": S3 + "lake/" + tail})
                if status == 200:
                    self.opens_only((status, body), body["metadata"]["location"].removeprefix(S3) + "/")
                else:
                    self.assertIn(status, (400, 403), body)

    # CVE-2026-42812: a commit that changed write.metadata.path alone was not held against the allowed places, and the
    # catalog itself wrote there before anything was checked.

    def test_cve_2026_42812_no_metadata_is_written_to_a_place_that_a_commit_names(self):
        table = self.call("GET", "/namespaces/attacker/tables/own", token=self.attacker)
        for name in WRITE_PATHS:
            for place in self.places():
                change = {"requirements": [], "updates": [{"action": "set-properties", "updates": {name: place}}]}
                with self.subTest(name, place=place):
                    self.repelled("/namespaces/attacker/tables/own", change, "commit-table")
                    self.repelled("/transactions/commit", {"table-changes": [
                        {"identifier": e2e_surface.identifier("attacker", "own"), **change}]}, "commit-transaction")
        self.assertEqual(self.call("GET", "/namespaces/attacker/tables/own", token=self.attacker), table)
        self.opens_only(self.desk.call("GET", e2e_surface.V1 + "/namespaces/attacker/tables/own/credentials", self.attacker), OWN)

    def test_cve_2026_42812_nor_to_one_that_a_registered_file_or_a_view_names(self):
        metadata = self.call("GET", "/namespaces/attacker/tables/own", token=self.attacker)[1]["metadata"]
        for place in self.places():
            with self.subTest(place):
                self.rgw.s3.put_object(Bucket="warehouse", Key="lake/put/x.metadata.json", Body=json.dumps({
                    **metadata, "table-uuid": "11111111-2222-3333-4444-555555555555", "location": S3 + "lake/put",
                    "properties": {"write.metadata.path": place}}))
                self.repelled("/namespaces/attacker/register", {"name": "r", "metadata-location": S3 + "lake/put/x.metadata.json"},
                              "register-table")
                self.repelled("/namespaces/attacker/views", {
                    "name": "v", "schema": h.SIMPLE_SCHEMA, "properties": {"write.metadata.path": place}, "view-version": {
                        "version-id": 1, "timestamp-ms": 1, "schema-id": 0, "summary": {}, "default-namespace": ["x"],
                        "representations": [{"type": "sql", "sql": "select 1", "dialect": "spark"}]}}, "create-view")

    def test_cve_2026_42812_moving_a_table_takes_a_right_of_its_own(self):
        writer = self.someone("writer-only", {"privileges": ["TABLE_WRITE_DATA", "TABLE_WRITE_PROPERTIES"], "namespaces": ["attacker"]})
        for update in ({"action": "set-properties", "updates": {"write.metadata.path": S3 + OWN + "m"}},
                       {"action": "set-location", "location": S3 + OWN + "deeper"}):
            status, body = self.ask("/namespaces/attacker/tables/own", {"requirements": [], "updates": [update]}, writer)
            self.assertEqual((status, body["error"]["type"]), (403, "ForbiddenException"))
            self.last_record("commit-table", principal="lakehouse/writer-only", missing="TABLE_SET_LOCATION", status=403)

    # What a table is stands in its metadata file; whoever may write data put another one over it.

    def test_a_key_for_data_writes_no_metadata_file_by_any_way(self):
        status, body = self.ask("/namespaces/attacker/tables", {
            "name": "guarded", "schema": h.SIMPLE_SCHEMA, "location": S3 + "lake/guarded",
            "properties": {"write.metadata.path": S3 + "lake/guarded-meta"}})
        self.assertEqual(status, 200, body)
        file = body["metadata-location"].removeprefix(S3)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        before = self.rgw.s3.get_object(Bucket="warehouse", Key=file)["Body"].read()
        for mine in ("lake/guarded/data/f.parquet", "lake/guarded/metadata/m.avro", "lake/guarded-meta/snap-1.avro",
                     "lake/guarded-meta/s.stats", "lake/guarded/metadata/json"):
            self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key=mine, Body=b"x"), 200, mine)
        for target in (file, file + ".gz", "lake/guarded/metadata/x.metadata.json", "lake/guarded/x.metadata.json.gz",
                       "lake/guarded-meta/deep/er/x.metadata.json", "lake/guarded/data/x.metadata.json",
                       "lake/guarded/metadata/v1.gz.metadata.json"):
            for call, more in ((key.put_object, {"Body": b"{}"}), (key.create_multipart_upload, {}),
                               (key.copy_object, {"CopySource": {"Bucket": "warehouse", "Key": "lake/guarded/data/f.parquet"}})):
                self.assertEqual(h.status_of(call, Bucket="warehouse", Key=target, **more), 403, (call, target))
        self.assertEqual(self.rgw.s3.get_object(Bucket="warehouse", Key=file)["Body"].read(), before)
        self.assertEqual(self.call("GET", "/namespaces/attacker/tables/guarded", token=self.attacker)[0], 200)
        comment = {"requirements": [], "updates": [{"action": "set-properties", "updates": {"comment": "x"}}]}
        self.assertEqual(self.ask("/namespaces/attacker/tables/guarded", comment)[0], 200)

    def test_nor_where_the_folders_name_has_a_dot(self):
        status, body = self.ask("/namespaces/attacker/tables", {"name": "dotted", "schema": h.SIMPLE_SCHEMA,
                                                                "location": S3 + "lake/sales.db/v1.2/t"})
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        for target in (body["metadata-location"].removeprefix(S3), "lake/sales.db/v1.2/t/metadata/x.metadata.json"):
            self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key=target, Body=b"{}"), 403, target)
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/sales.db/v1.2/t/data/f", Body=b"x"), 200)

    def test_a_copy_goes_nowhere_that_a_put_may_not_go(self):
        key = self.rgw.with_key(self.desk.call("GET", e2e_surface.V1 + "/namespaces/attacker/tables/own/credentials",
                                               self.attacker)[1]["storage-credentials"][0]["config"])
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key=OWN + "data/f", Body=b"x"), 200)
        before = self.everything()
        for target in (VICTIM + "planted", self.secret, "lake/planted", "planted"):
            self.assertEqual(h.status_of(key.copy_object, Bucket="warehouse", Key=target,
                                         CopySource={"Bucket": "warehouse", "Key": OWN + "data/f"}), 403, target)
        self.assertEqual(self.everything(), before)

    # Prefixes that were compared as text: a key for .../t opened .../t2 as well.

    def test_sibling_prefix_a_folder_whose_name_begins_the_same_is_another_folder(self):
        for name in ("sib2", "sibling", "sib-", "sib."):
            self.make("bank", name, S3 + "lake/" + name)
            self.rgw.s3.put_object(Bucket="warehouse", Key=f"lake/{name}/data/secret", Body=b"secret")
        self.rgw.s3.put_object(Bucket="warehouse", Key="lake/sib", Body=b"secret")
        answer = self.ask("/namespaces/attacker/tables", {"name": "sib", "schema": h.SIMPLE_SCHEMA, "location": S3 + "lake/sib"})
        self.opens_only(answer, "lake/sib/")
        config = answer[1]["storage-credentials"][0]
        self.assertEqual(config["prefix"], S3 + "lake/sib/")
        key = self.rgw.with_key(config["config"])
        for target in ("lake/sib2/data/secret", "lake/sibling/data/secret", "lake/sib-/data/secret", "lake/sib./data/secret", "lake/sib"):
            for call, more in ((key.get_object, {}), (key.put_object, {"Body": b"x"}), (key.delete_object, {})):
                self.assertEqual(h.status_of(call, Bucket="warehouse", Key=target, **more), 403, target)
        for prefix in ("lake/sib", "lake/sib2/", "lake/sib2", "lake/si"):
            self.assertEqual(h.status_of(key.list_objects_v2, Bucket="warehouse", Prefix=prefix), 403, prefix)

    def test_sibling_prefix_a_snapshot_names_no_file_in_a_folder_that_begins_the_same(self):
        self.make("attacker", "pre", S3 + "lake/pre")
        self.make("bank", "pre2", S3 + "lake/pre2")
        for place in (S3 + "lake/pre2", S3 + "lake/pre.", S3 + "lake/prefix"):
            self.repelled("/namespaces/attacker/tables/pre", {"requirements": [], "updates": e2e_catalog.append(7, place)}, "commit-table")
        for place in (S3 + "lake/pre2/x", S3 + "lake/pre2"):
            self.repelled("/namespaces/attacker/tables", {"name": "x", "schema": h.SIMPLE_SCHEMA, "location": place}, "create-table")

    # Places of other catalogs at the same store, which those who work in this one cannot see.

    def test_a_table_takes_no_place_in_another_catalog_also_while_that_is_empty(self):
        self.folder.write("second.yaml", h.catalog("second", defaultBaseLocation=S3 + "lake/second"))
        objects = h.lakehouse(self.endpoint())
        objects[3]["spec"]["defaultBaseLocation"] = S3 + "lake/first"
        self.folder.write("lakehouse.yaml", *objects)
        try:
            h.wait_for("the second catalog", lambda: "second" in self.desk.get(self.desk.admin + "/rulebook")[1].decode())
            for place in ("lake/second", "lake/second/t", "lake"):
                for staged in (True, False):
                    self.repelled("/namespaces/attacker/tables", {"name": "t", "schema": h.SIMPLE_SCHEMA, "location": S3 + place,
                                                                  "stage-create": staged}, "create-table", (403,))
                self.repelled("/namespaces/attacker/register", {
                    "name": "t", "metadata-location": S3 + place + "/x.metadata.json"}, "register-table", (403, 404))
                self.repelled("/namespaces/attacker/tables/own", {"requirements": [], "updates": [
                    {"action": "set-location", "location": S3 + place}]}, "commit-table", (403,))
        finally:
            self.folder.remove("second.yaml")
            self.folder.write("lakehouse.yaml", *h.lakehouse(self.endpoint()))
