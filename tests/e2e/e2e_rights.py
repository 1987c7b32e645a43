"""Who may change what of a table: each kind of update has a right of its own, and a place weighs more than a comment."""

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
        status, body = self.create("fresh", token, location="s3://warehouse/lake/fresh", **{"stage-create": True})
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
