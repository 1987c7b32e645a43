"""Who may change what of a table: each kind of update has a right of its own, and a place weighs more than a comment."""

import json

import e2e_catalog
import e2e_surface
import harness as h

T = "/namespaces/sales/tables/t"


class Updates(e2e_surface.Surface):
    """docs/REST.md, "Rights to commit"."""

    # The right that an update takes: its name below, and the update.
    def updates(self):
        schema = {**self.metadata["schemas"][0], "schema-id": 1}
        statistics = {"snapshot-id": 1, "statistics-path": self.place + "/s.puffin", "file-size-in-bytes": 1,
                      "file-footer-size-in-bytes": 1, "blob-metadata": []}
        partition = {"snapshot-id": 1, "statistics-path": self.place + "/p.parquet", "file-size-in-bytes": 1}
        added, main = e2e_catalog.append(2, self.place, parent=1, sequence=2)
        return {
            "ASSIGN_UUID": [{"action": "assign-uuid", "uuid": self.metadata["table-uuid"]}],
            "UPGRADE_FORMAT_VERSION": [{"action": "upgrade-format-version", "format-version": 2}],
            "ADD_SCHEMA": [{"action": "add-schema", "schema": schema}],
            "SET_CURRENT_SCHEMA": [{"action": "set-current-schema", "schema-id": 0}],
            "MANAGE_STRUCTURE": [{"action": "remove-schemas", "schema-ids": [99]}],
            "ADD_PARTITION_SPEC": [{"action": "add-spec", "spec": {"spec-id": 1, "fields": []}},
                                   {"action": "set-default-spec", "spec-id": 0}],
            "REMOVE_PARTITION_SPECS": [{"action": "remove-partition-specs", "spec-ids": [99]}],
            "ADD_SORT_ORDER": [{"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}}],
            "SET_DEFAULT_SORT_ORDER": [{"action": "set-default-sort-order", "sort-order-id": 0}],
            "SET_PROPERTIES": [{"action": "set-properties", "updates": {"comment": "x"}},
                               {"action": "set-properties", "updated": {"comment": "y"}},
                               {"action": "SET-PROPERTIES", "updates": {"write.target-file-size-bytes": "1"}}],
            "REMOVE_PROPERTIES": [{"action": "remove-properties", "removals": ["comment"]}],
            "SET_LOCATION": [{"action": "set-location", "location": self.place},
                             {"action": "set-location", "location": self.place + "/deeper"}],
            "SET_PROPERTIES SET_LOCATION": [
                {"action": "set-properties", "updates": {"comment": "z", name: self.place + "/deeper"}}
                for name in ("write.data.path", "write.metadata.path", "write.object-storage.path",
                             "write.folder-storage.path")]
                + [{"action": "set-properties", "updated": {"write.data.path": self.place + "/data"}}],
            "REMOVE_PROPERTIES SET_LOCATION": [{"action": "remove-properties", "removals": ["comment", "write.data.path"]},
                                               {"action": "remove-properties", "removed": ["write.metadata.path"]}],
            "ADD_SNAPSHOT": [added],
            "SET_SNAPSHOT_REF": [{**main, "snapshot-id": 1},
                                 {"action": "set-snapshot-ref", "ref-name": "audit", "type": "tag", "snapshot-id": 1}],
            "REMOVE_SNAPSHOTS": [{"action": "remove-snapshots", "snapshot-ids": [99]}],
            "REMOVE_SNAPSHOT_REF": [{"action": "remove-snapshot-ref", "ref-name": "gone"}],
            "SET_STATISTICS": [{"action": "set-statistics", "statistics": statistics},
                               {"action": "set-partition-statistics", "partition-statistics": partition}],
            "REMOVE_STATISTICS": [{"action": "remove-statistics", "snapshot-id": 1},
                                  {"action": "remove-partition-statistics", "snapshot-id": 1}],
            "WRITE_PROPERTIES": [{"action": "remove-encryption-key", "key-id": "none"}],
        }

    DATA = {"ADD_SNAPSHOT", "SET_SNAPSHOT_REF", "REMOVE_SNAPSHOTS", "REMOVE_SNAPSHOT_REF", "SET_STATISTICS", "REMOVE_STATISTICS"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = "s3://warehouse/lake/t"
        status, body = cls.create("t", location=cls.place)
        assert status == 200, body
        cls.metadata = body["metadata"]
        status, body = cls.desk.call("POST", e2e_surface.V1 + T, cls.token,
                                     {"requirements": [], "updates": e2e_catalog.append(1, cls.place)})
        assert status == 200, body

    def opened(self, token):
        """The kinds of updates that this caller may send: every example of a kind, or none of it."""
        found = set()
        for kind, examples in self.updates().items():
            answers = [self.call("POST", T, {"requirements": [], "updates": [u]}, token) for u in examples]
            self.assertEqual(len({a[0] == 403 for a in answers}), 1, (kind, answers))
            for status, body in answers:
                self.assertIn(status, (200, 403), body)
            if answers[0][0] == 200:
                found.add(kind)
        return found

    def holders(self, *rights):
        """A token for each right: of a principal that holds only that."""
        for right in rights:
            name = right.lower().replace("_", "-")
            self.folder.write(name + ".yaml", h.principal(name), h.role(
                name, privileges=["TABLE_" + right], principals=[{"kind": "Principal", "name": name}], tables=["t"]))
        for right in rights:
            name = right.lower().replace("_", "-")
            yield right, self.folder.token(self.desk, name)

    def test_each_kind_of_update_has_a_right_of_its_own(self):
        kinds = self.updates()
        single = [k for k in kinds if " " not in k and k not in ("MANAGE_STRUCTURE", "WRITE_PROPERTIES")]
        for right, token in self.holders(*single):
            with self.subTest(right):
                self.assertEqual(self.opened(token), {right})

    def test_the_broad_rights_carry_what_is_said_of_them(self):
        kinds = set(self.updates())
        places = {k for k in kinds if "SET_LOCATION" in k}
        structure = kinds - self.DATA - places - {"WRITE_PROPERTIES"}
        wanted = {"MANAGE_STRUCTURE": structure, "WRITE_PROPERTIES": structure | {"WRITE_PROPERTIES"},
                  "FULL_METADATA": kinds - self.DATA, "WRITE_DATA": kinds - places,
                  "READ_DATA": set(), "READ_PROPERTIES": set()}
        for right, token in self.holders(*wanted):
            with self.subTest(right):
                self.assertEqual(self.opened(token), wanted[right])
        self.assertEqual(self.opened(self.token), kinds)

    def test_one_update_without_its_right_refuses_the_whole_commit_and_is_on_record(self):
        token = self.someone("commenter", {"privileges": ["TABLE_SET_PROPERTIES"], "namespaces": ["sales"]})
        before = self.call("GET", T)[1]
        comment = {"action": "set-properties", "updates": {"comment": "mine"}}
        for more, missing in (({"action": "set-location", "location": self.place + "/x"}, "TABLE_SET_LOCATION"),
                              ({"action": "set-properties", "updates": {"write.metadata.path": self.place + "/x"}}, "TABLE_SET_LOCATION"),
                              ({"action": "remove-snapshots", "snapshot-ids": [1]}, "TABLE_REMOVE_SNAPSHOTS")):
            change = {"requirements": [], "updates": [comment, more]}
            for answer in (self.call("POST", T, change, token),
                           self.call("POST", "/transactions/commit", {"table-changes": [
                               {"identifier": e2e_surface.identifier("sales", "t"), **change}]}, token)):
                self.refused(answer, 403, "ForbiddenException")
                self.assertIn("lacks " + missing + " on sales.t", answer[1]["error"]["message"])
            for operation in ("commit-table", "commit-transaction"):
                self.last_record(operation, principal="lakehouse/commenter", missing=missing, status=403)
        self.assertEqual(self.call("GET", T)[1], before)

    def test_whoever_may_create_says_what_a_new_table_is_like_and_where_but_adds_no_data(self):
        token = self.someone("maker", {"privileges": ["TABLE_CREATE"], "namespaces": ["sales"]})
        status, body = self.create("fresh", token, location="s3://warehouse/lake/sales/fresh", **{"stage-create": True})
        self.assertEqual(status, 200, body)
        metadata = body["metadata"]
        updates = [{"action": "assign-uuid", "uuid": metadata["table-uuid"]},
                   {"action": "upgrade-format-version", "format-version": 2},
                   {"action": "add-schema", "schema": metadata["schemas"][0]},
                   {"action": "set-current-schema", "schema-id": -1},
                   {"action": "add-spec", "spec": metadata["partition-specs"][0]},
                   {"action": "set-default-spec", "spec-id": -1},
                   {"action": "add-sort-order", "sort-order": metadata["sort-orders"][0]},
                   {"action": "set-default-sort-order", "sort-order-id": -1},
                   {"action": "set-properties", "updates": {"write.data.path": metadata["location"] + "/d"}},
                   {"action": "set-location", "location": metadata["location"]}]
        path, new = "/namespaces/sales/tables/fresh", [{"type": "assert-create"}]
        answer = self.call("POST", path, {"requirements": new, "updates": updates + e2e_catalog.append(1, metadata["location"])}, token)
        self.refused(answer, 403, "ForbiddenException")
        self.assertIn("lacks TABLE_ADD_SNAPSHOT", answer[1]["error"]["message"])
        self.assertEqual(self.call("POST", path, {"requirements": new, "updates": updates}, token)[0], 200)


LAKE = "s3://warehouse/lake/"


class Homes(e2e_surface.Surface):
    """docs/REST.md, "Where a table may lie": a privilege to create is none to choose a location."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Raw files that are no table's, where they may lie: an allowed location, and nobody's.
        cls.rgw.s3.put_object(Bucket="warehouse", Key="lake/raw/salaries.csv", Body=b"secret")
        for ns, properties in ((["own"], {"location": LAKE + "moved/own"}), (["finance"], {})):
            status, body = cls.desk.call("POST", e2e_surface.V1 + "/namespaces", cls.token,
                                         {"namespace": ns, "properties": properties})
            assert status == 200, body

    def maker(self, *more, name="maker-here"):
        return self.someone(name, {"privileges": ["TABLE_CREATE", "TABLE_READ_DATA", "TABLE_WRITE_DATA", "TABLE_DROP",
                                                  "VIEW_CREATE", "VIEW_WRITE_PROPERTIES", *more], "namespaces": ["sales", "own"]})

    def make(self, token, name, location, ns="sales", **more):
        return self.desk.call("POST", f"{e2e_surface.V1}/namespaces/{ns}/tables", token,
                              {"name": name, "schema": h.SIMPLE_SCHEMA, "location": location, **more},
                              X_Iceberg_Access_Delegation="vended-credentials")

    def view(self, name, location=None, **properties):
        return {"name": name, "schema": h.SIMPLE_SCHEMA, "properties": properties, "view-version": {
            "version-id": 1, "timestamp-ms": 1, "schema-id": 0, "summary": {}, "default-namespace": ["sales"],
            "representations": [{"type": "sql", "sql": "select 1", "dialect": "spark"}]},
            **({"location": location} if location else {})}

    def lacks(self, answer, operation, privilege="TABLE_SET_LOCATION"):
        self.refused(answer, 403, "ForbiddenException")
        self.assertIn(privilege, answer[1]["error"]["message"])
        self.last_record(operation, missing=privilege, status=403)

    def test_a_create_outside_of_the_namespaces_own_location_takes_the_privilege_to_set_one(self):
        token, both = self.maker(), self.maker("TABLE_SET_LOCATION", name="chooser")
        for i, (place, more) in enumerate((
                (LAKE + "raw", {}), (LAKE + "raw/deep", {}), (LAKE + "finance/t", {}), (LAKE + "sales2", {}), (LAKE + "sale", {}),
                (LAKE + "sales/in", {"properties": {"write.data.path": LAKE + "raw"}}),
                (LAKE + "sales/in", {"properties": {"write.metadata.path": LAKE + "raw/m"}}),
                (LAKE + "sales/in", {"properties": {"write.object-storage.path": LAKE + "raw/o"}}))):
            for staged in (True, False):
                with self.subTest(place, more=more, staged=staged):
                    self.lacks(self.make(token, f"t{i}", place, **more, **{"stage-create": staged}), "create-table")
        for name, place, ns in (("inside", LAKE + "sales/any/where", "sales"), ("inside", LAKE + "moved/own/x", "own")):
            with self.subTest(place):
                self.assertEqual(self.make(token, name, place, ns)[0], 200)
        # Its own location is the namespace's home, and the default below the base is not.
        self.lacks(self.make(token, "other", LAKE + "own/x", "own"), "create-table")
        self.assertEqual(self.make(both, "chosen", LAKE + "chosen")[0], 200)
        self.assertEqual(self.make(token, "by-default", None)[0], 200)

    def test_a_staged_table_takes_no_folder_beside_the_one_that_was_promised(self):
        token = self.maker()
        status, body = self.make(token, "staged", LAKE + "sales/staged", **{"stage-create": True})
        self.assertEqual(status, 200, body)
        m = body["metadata"]

        def commit(path):
            return self.call("POST", "/namespaces/sales/tables/staged", {"requirements": [{"type": "assert-create"}], "updates": [
                {"action": "assign-uuid", "uuid": m["table-uuid"]}, {"action": "upgrade-format-version", "format-version": 2},
                {"action": "add-schema", "schema": m["schemas"][0]}, {"action": "set-current-schema", "schema-id": -1},
                {"action": "add-spec", "spec": m["partition-specs"][0]}, {"action": "set-default-spec", "spec-id": -1},
                {"action": "add-sort-order", "sort-order": m["sort-orders"][0]}, {"action": "set-default-sort-order", "sort-order-id": -1},
                {"action": "set-location", "location": m["location"]},
                {"action": "set-properties", "updates": {"write.data.path": path}}]}, token)
        self.lacks(commit(LAKE + "raw"), "commit-table")
        self.assertEqual(commit(LAKE + "sales/staged-data")[0], 200)

    def test_a_file_that_lies_elsewhere_is_not_looked_at_without_it(self):
        token = self.maker()
        metadata = self.make(self.token, "source", LAKE + "elsewhere/source")[1]["metadata"]
        self.assertEqual(self.call("DELETE", "/namespaces/sales/tables/source")[0], 204)
        answers = []
        for key, body in (("lake/elsewhere/there/x.metadata.json", metadata), ("lake/elsewhere/gone/x.metadata.json", None)):
            if body:
                self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=json.dumps(body))
            for path, operation in (("register", "register-table"), ("register-view", "register-view")):
                answer = self.call("POST", "/namespaces/sales/" + path, {"name": "r", "metadata-location": "s3://warehouse/" + key}, token)
                self.lacks(answer, operation)
                answers.append((path, answer[1]["error"]["message"].replace("there", "").replace("gone", "")))
        self.assertEqual(answers[0], answers[2])
        self.assertEqual(answers[1], answers[3])
        # Nor does a file of our own folder speak for another.
        own = {**metadata, "location": LAKE + "sales/file", "table-uuid": "11111111-2222-3333-4444-555555555555"}
        for change in ({"location": LAKE + "raw"}, {"properties": {"write.data.path": LAKE + "raw"}}):
            self.rgw.s3.put_object(Bucket="warehouse", Key="lake/sales/file/x.metadata.json", Body=json.dumps({**own, **change}))
            answer = self.call("POST", "/namespaces/sales/register", {
                "name": "r", "metadata-location": LAKE + "sales/file/x.metadata.json"}, token)
            self.refused(answer, 403, "ForbiddenException")
        self.rgw.s3.put_object(Bucket="warehouse", Key="lake/sales/file/x.metadata.json", Body=json.dumps(own))
        self.assertEqual(self.call("POST", "/namespaces/sales/register", {
            "name": "r", "metadata-location": LAKE + "sales/file/x.metadata.json"}, token)[0], 200)

    def test_a_registration_over_a_table_that_lies_elsewhere_leaves_it_where_it_is(self):
        token = self.maker("TABLE_READ_PROPERTIES")
        body = self.make(self.token, "placed", LAKE + "elsewhere/placed")[1]
        again = {"name": "placed", "metadata-location": body["metadata-location"], "overwrite": True}
        self.assertEqual(self.call("POST", "/namespaces/sales/register", again, token)[0], 200)
        key = "lake/elsewhere/placed/metadata/y.metadata.json"
        self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=json.dumps(
            {**body["metadata"], "properties": {"write.data.path": LAKE + "raw"}}))
        self.lacks(self.call("POST", "/namespaces/sales/register", {**again, "metadata-location": "s3://warehouse/" + key}, token),
                   "register-table")

    def test_a_view_lies_in_its_namespaces_location_too(self):
        token = self.maker()
        self.lacks(self.call("POST", "/namespaces/sales/views", self.view("v", LAKE + "raw/v"), token), "create-view")
        self.lacks(self.call("POST", "/namespaces/sales/views", self.view("v", **{"write.metadata.path": LAKE + "raw/v"}), token),
                   "create-view")
        self.assertEqual(self.call("POST", "/namespaces/sales/views", self.view("v"), token)[0], 200)
        for update in ({"action": "set-location", "location": LAKE + "sales/v2"},
                       {"action": "set-properties", "updates": {"write.metadata.path": LAKE + "raw/v"}}):
            self.lacks(self.call("POST", "/namespaces/sales/views/v", {"requirements": [], "updates": [update]}, token), "replace-view")

    def test_a_namespaces_own_location_lies_below_its_parents(self):
        token = self.someone("namer", {"privileges": ["NAMESPACE_FULL_METADATA"]})
        for levels, place in ((["a"], "s3://warehouse/lake"), (["a"], LAKE + "finance"), (["a"], LAKE + "finance/deep"),
                              (["finance", "a"], LAKE + "raw"), (["finance", "a"], LAKE + "finance"), (["own", "a"], LAKE + "own/a"),
                              (["own", "a"], LAKE + "moved/other")):
            with self.subTest(levels, place=place):
                self.lacks(self.call("POST", "/namespaces", {"namespace": levels, "properties": {"location": place}}, token),
                           "create-namespace", "CATALOG_MANAGE_CONTENT")
        for levels, place in ((["a"], LAKE + "for-a"), (["finance", "b"], LAKE + "finance/deep/b"), (["own", "b"], LAKE + "moved/own/b"),
                              (["c"], LAKE + "c"), (["finance", "d"], LAKE + "finance/d/x")):
            with self.subTest(levels, place=place):
                answer = self.call("POST", "/namespaces", {"namespace": levels, "properties": {"location": place}}, token)
                self.assertEqual(answer[0], 200, answer)

        def move(ns, place, by=token):
            return self.call("POST", f"/namespaces/{ns}/properties", {"updates": {"location": place}}, by)
        self.lacks(move("a", LAKE + "finance/a"), "namespace-properties", "CATALOG_MANAGE_CONTENT")
        self.lacks(move("finance%1Fb", LAKE + "raw"), "namespace-properties", "CATALOG_MANAGE_CONTENT")
        self.assertEqual(move("finance%1Fb", LAKE + "raw", self.token)[0], 200)
        # What it is already, it may stay.
        self.assertEqual(move("finance%1Fb", LAKE + "raw")[0], 200)
        self.assertEqual(move("a", LAKE + "for-a2")[0], 200)
