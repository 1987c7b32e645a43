"""What is sent and is wrong: each is refused in the protocol's words, names what is wrong, and leaves nothing behind."""
import hashlib
import http.client
import json
import os
import sqlite3

import e2e_file_storage
import harness as h

V1 = "/v1/analytics"
NS = V1 + "/namespaces"
TABLES, VIEWS = NS + "/sales/tables", NS + "/sales/views"
UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"

# Bodies that are no JSON object as RFC 8259 and UTF-8 have it, or one that two readers would read differently.
NO_OBJECT = {
    "nothing": b"", "blanks": b" \n", "a list": b"[]", "null": b"null", "a number": b"7", "a text": b'"x"', "half": b'{"a":',
    "two": b"{}{}", "a brace too many": b"{}}", "single quotes": b"{'a':1}", "a last comma": b'{"a":1,}', "a comment": b'{"a":1/**/}',
    "no quotes": b"{a:1}", "NaN": b'{"a":NaN}', "Infinity": b'{"a":-Infinity}', "past a double": b'{"a":1e999}',
    "past 64 bits": b'{"a":18446744073709551616}', "a leading zero": b'{"a":01}', "a leading plus": b'{"a":+1}', "no digit before": b'{"a":.5}',
    "a hex number": b'{"a":0x10}', "a name twice": b'{"a":1,"a":2}', "a name twice in other letters": b'{"a":1,"\\u0061":2}',
    "a NUL": b'{"a":"\\u0000"}', "a raw line end": b'{"a":"\n"}', "an escape of none": b'{"a":"\\x41"}', "half a pair": b'{"a":"\\ud800"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}', "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}', "no UTF-8": b'{"a":"\xff"}',
    "UTF-8 that is cut": b'{"a":"\xe2\x82"}', "past the last character": b'{"a":"\xf5\x80\x80\x80"}', "UTF-16": '{"a":1}'.encode("utf-16"),
    "a mark in front": b"\xef\xbb\xbf{}", "too deep": b'{"a":' * 70 + b"1" + b"}" * 70, "much too deep": b"[" * 200000,
    "deep in lists": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
}


def schema(*fields, **more):
    return {"type": "struct", "schema-id": 0, "fields": list(fields), **more}


def field(number, name, kind, required=False, **more):
    return {"id": number, "name": name, "type": kind, "required": required, **more}


def deep(levels):
    kind = "int"
    for n in range(levels):
        kind = {"type": "struct", "fields": [field(n + 2, "x", kind)]}
    return kind


def add_schema(*fields, **more):
    return {"action": "add-schema", "schema": schema(*fields, **more)}


# An update, and a part of what is said of it.
UPDATES = [
    ({"action": "drop-everything"}, 'updates[0]: action "drop-everything" is not known'), ({}, 'updates[0]: action ""'), (None, "updates[0]: action"),
    ({"action": 7}, "updates[0]: action"), ({"action": "add-view-version", "view-version": {}}, "is not known"),
    ({"action": "assign-uuid", "uuid": "x"}, "assign-uuid"), ({"action": "assign-uuid", "uuid": UUID}, "Cannot reassign uuid"),
    ({"action": "upgrade-format-version", "format-version": "3"}, "format-version must be a whole number"),
    ({"action": "upgrade-format-version", "format-version": 2.5}, "format-version must be a whole number"),
    ({"action": "upgrade-format-version", "format-version": 1}, "Cannot change format version"),
    (add_schema(field(1, "c", "no-such")), "the type of c is not known"), (add_schema(field(1, "c", deep(40))), "nested"),
    (add_schema(field(1, "c", "int"), field(1, "d", "int")), "field id 1 is used twice"), (add_schema(field(0, "c", "int")), "id of field c"),
    (add_schema(field(2**31, "c", "int")), "id of field c"), (add_schema(field(2**63 - 1, "c", "int")), "id of field c"),
    (add_schema(field("1", "c", "int")), "id of field c"), (add_schema(field(1, "c", "variant")), "variant is not supported until v3"),
    (add_schema({"id": 1, "name": "c", "type": "int"}), "field c: required"), (add_schema(field(1, "c", "int"), **{"identifier-field-ids": [1]}), "identifier field 1"),
    (add_schema(*[field(n + 1, f"c{n}", "int") for n in range(10001)]), "more than 10000 fields"),
    ({"action": "set-current-schema", "schema-id": 99}, "current-schema-id to 99"), ({"action": "set-current-schema"}, "schema-id must be"),
    ({"action": "add-spec", "spec": {"fields": [{"source-id": 77, "name": "p", "transform": "identity"}]}}, "source column for field 77"),
    ({"action": "add-spec", "spec": {"fields": [{"source-id": 1, "name": "p", "transform": "bucket[0]"}]}}, "bucket[0]"),
    ({"action": "add-sort-order", "sort-order": {"fields": [{"source-id": 1, "transform": "identity"}]}}, "direction"),
    ({"action": "add-snapshot", "snapshot": {"snapshot-id": "1", "summary": {"operation": "append"}}}, "snapshot-id must be"), ({"action": "add-snapshot"}, "snapshot must be an object"),
    ({"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 5}, "unknown snapshot: 5"),
    ({"action": "remove-snapshots", "snapshot-ids": "all"}, "snapshot-ids must be a list"),
    ({"action": "set-properties", "updates": {"a": {}}}, "property a must be text"), ({"action": "set-properties", "updates": {"a": "b", "c": 1}}, "property c"),
    ({"action": "set-properties", "updates": {"write.metadata.compression-codec": "rar"}}, "write.metadata.compression-codec"),
    ({"action": "set-properties", "updates": {f"p{n}": "" for n in range(1001)}}, "more than 1000 properties"),
    ({"action": "remove-properties", "removals": [1]}, "removals"), ({"action": "set-location", "location": ""}, "location"),
    ({"action": "remove-schemas", "schema-ids": [0]}, "current-schema-id"), ({"action": "remove-partition-specs", "spec-ids": [0]}, "default-spec-id"),
    ({"action": "set-statistics", "statistics": {"snapshot-id": 1, "statistics-path": "x"}}, "file-size-in-bytes"),
    ({"action": "add-encryption-key", "encryption-key": {"key-id": "k", "encrypted-key-metadata": "not base64"}}, "encrypted-key-metadata"),
]

REQUIREMENTS = [
    ({"type": "assert-nothing"}, 'requirements[0]: type "assert-nothing" is not known'), ({}, "requirements[0]"), ("x", "requirements[0]"),
    ({"type": "assert-table-uuid"}, "uuid must be text"), ({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": "x"}, "snapshot-id must be"),
    ({"type": "assert-current-schema-id", "current-schema-id": "0"}, "current-schema-id must be"),
]

# Path below V1, body, and a part of what is said of it.
REQUESTS = [
    ("/namespaces", {}, "namespace"), ("/namespaces", {"namespace": "a"}, "namespace"), ("/namespaces", {"namespace": []}, "namespace"),
    ("/namespaces", {"namespace": [""]}, "name"), ("/namespaces", {"namespace": [7]}, "name"), ("/namespaces", {"namespace": ["x"] * 17}, "namespace"),
    ("/namespaces", {"namespace": ["n"], "properties": {"a": 1}}, "property a"), ("/namespaces", {"namespace": ["n"], "properties": []}, "properties"),
    ("/namespaces/sales/properties", {"updates": {"a": None}}, "a"), ("/namespaces/sales/properties", {"removals": "a"}, "removals"),
    ("/namespaces/sales/tables", {}, "name"), ("/namespaces/sales/tables", {"name": ""}, "name"), ("/namespaces/sales/tables", {"name": "t"}, "schema"),
    ("/namespaces/sales/tables", {"name": "x" * 256, "schema": h.SIMPLE_SCHEMA}, "name"),
    ("/namespaces/sales/tables", {"name": "t", "schema": h.SIMPLE_SCHEMA, "properties": {"format-version": "4"}}, "format-version"),
    ("/namespaces/sales/tables", {"name": "t", "schema": h.SIMPLE_SCHEMA, "properties": {"a": 1}}, "property a"),
    ("/namespaces/sales/tables", {"name": "t", "schema": schema(field(1, "c", deep(40)))}, "nested"),
    ("/namespaces/sales/tables", {"name": "t", "schema": h.SIMPLE_SCHEMA, "partition-spec": {"fields": [{"source-id": 9, "transform": "identity", "name": "p"}]}},
     "partition spec"),
    ("/namespaces/sales/tables", {"name": "t", "schema": h.SIMPLE_SCHEMA, "write-order": {"fields": [7]}}, "sort order"),
    ("/namespaces/sales/register", {"name": "t"}, "metadata-location"), ("/namespaces/sales/register", {"name": "t", "metadata-location": 7}, "metadata-location"),
    ("/tables/rename", {}, "namespace"), ("/tables/rename", {"source": {"namespace": ["sales"], "name": "good"}}, "destination"),
    ("/transactions/commit", {}, "table-changes"), ("/transactions/commit", {"table-changes": []}, "table-changes"),
    ("/transactions/commit", {"table-changes": [{}]}, "identifier"), ("/transactions/commit", {"table-changes": [7]}, "identifier"),
    ("/namespaces/sales/views", {"name": "v"}, "schema"), ("/namespaces/sales/views", {"name": "v", "schema": h.SIMPLE_SCHEMA}, "version-id"),
    ("/namespaces/sales/views/eyes", {"updates": [{"action": "add-snapshot"}]}, "add-snapshot"), ("/namespaces/sales/views/eyes", {"updates": 7}, "updates"),
    ("/namespaces/sales/tables/good/metrics", {}, "report-type"),
]

POSTS = sorted({path for path, _, _ in REQUESTS} | {"/namespaces/sales/tables/good", "/views/rename", "/namespaces/sales/register-view"})


class BadInput(e2e_file_storage.Files):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        status, cls.good = cls.desk.call("POST", TABLES, cls.token, {"name": "good", "schema": h.SIMPLE_SCHEMA})
        assert status == 200, cls.good
        version = {"version-id": 1, "schema-id": 0, "timestamp-ms": 1, "summary": {}, "default-namespace": ["sales"],
                   "representations": [{"type": "sql", "sql": "select 1", "dialect": "spark"}]}
        status, eyes = cls.desk.call("POST", VIEWS, cls.token, {"name": "eyes", "schema": h.SIMPLE_SCHEMA, "view-version": version, "properties": {}})
        assert status == 200, eyes

    def state(self):
        """Everything that a request could have left: the files of tables, and the store's rows."""
        files = {}
        for root, _, names in os.walk(os.path.join(self.base, "lake")):
            for name in names:
                path = os.path.join(root, name)
                with open(path, "rb") as f:
                    files[path] = hashlib.sha256(f.read()).hexdigest()
        db = sqlite3.connect("file:" + os.path.join(self.base, "catalog.db") + "?mode=ro", uri=True)
        try:
            return files, list(db.iterdump())
        finally:
            db.close()

    def post(self, path, data):
        status, text, _ = self.desk.get(self.desk.uri + path, {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}, "POST", data)
        return status, json.loads(text)

    def refused(self, path, data, says, status=400, kinds=("BadRequestException", "IllegalArgumentException")):
        got, body = self.post(path, data if isinstance(data, bytes) else json.dumps(data).encode())
        self.assertEqual(got, status, (path, data[:200] if isinstance(data, bytes) else data, body))
        self.assertEqual(body["error"]["code"], status)
        self.assertIn(body["error"]["type"], kinds)
        self.assertIn(says, body["error"]["message"])

    def tearDown(self):
        """Whatever was sent: the program serves on, and found no fault of its own."""
        self.assertEqual(self.desk.call("GET", TABLES + "/good", self.token)[1]["metadata-location"], self.good["metadata-location"])
        _, metrics, _ = self.desk.get(self.desk.admin + "/metrics")
        self.assertIn(b"\nfrontdesk_bugs_total 0\n", metrics)

    def test_a_body_that_is_no_object_is_400_at_every_path(self):
        before = self.state()
        for path in POSTS:
            for name, body in NO_OBJECT.items():
                with self.subTest(path + ": " + name):
                    self.refused(V1 + path, body, "")
        self.assertEqual(self.state(), before)

    def test_an_object_that_lacks_something_is_told_what(self):
        before = self.state()
        for path, body, says in REQUESTS:
            with self.subTest(path=path, body=json.dumps(body)[:100]):
                self.refused(V1 + path, body, says)
        self.assertEqual(self.state(), before)

    def test_a_wrong_update_is_told_what_is_wrong_and_none_beside_it_is_applied(self):
        before = self.state()
        first = {"action": "set-properties", "updates": {"applied": "never"}}
        for update, says in UPDATES:
            with self.subTest(says):
                self.refused(TABLES + "/good", {"requirements": [], "updates": [update]}, says)
                self.refused(TABLES + "/good", {"requirements": [], "updates": [first, update]}, says.replace("updates[0]", "updates[1]"))
                change = {"identifier": {"namespace": ["sales"], "name": "good"}, "requirements": [], "updates": [first, update]}
                self.refused(V1 + "/transactions/commit", {"table-changes": [change]}, says.replace("updates[0]", "updates[1]"))
        self.assertEqual(self.state(), before)

    def test_a_wrong_requirement_is_told_what_is_wrong(self):
        before = self.state()
        for requirement, says in REQUIREMENTS:
            with self.subTest(says):
                self.refused(TABLES + "/good", {"requirements": [requirement], "updates": []}, says)
        self.refused(TABLES + "/good", {"requirements": {}, "updates": []}, "requirements")
        self.refused(TABLES + "/good", {"requirements": [], "updates": {}}, "updates")
        self.refused(TABLES + "/good", {"requirements": [{"type": "assert-table-uuid", "uuid": UUID}], "updates": []}, "UUID does not match",
                     409, ("CommitFailedException",))
        self.refused(TABLES + "/good", {"requirements": [], "updates": [{"action": "remove-properties", "removals": []}] * 1001}, "at most 1000")
        self.assertEqual(self.state(), before)

    def test_a_body_past_the_limit_is_refused_before_it_is_read(self):
        before = self.state()
        host, port = self.desk.uri[len("http://"):].split(":")
        for length in (16 * 1024 * 1024 + 1, 10**15):
            connection = http.client.HTTPConnection(host, int(port), timeout=20)
            connection.putrequest("POST", TABLES + "/good")
            connection.putheader("Authorization", "Bearer " + self.token)
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            self.assertEqual(connection.getresponse().status, 413)
            connection.close()
        self.assertEqual(self.state(), before)

    def test_a_body_of_the_largest_size_is_read_unless_its_values_would_fill_the_memory(self):
        before = self.state()
        start = b'{"requirements":[],"updates":[],"padding":"'
        self.assertEqual(self.post(TABLES + "/good", start + b"x" * (16 * 1024 * 1024 - len(start) - 2) + b'"}')[0], 200)
        for many in (b"{},", b"[],", b"1,", b'"",', b"null,"):
            data = b'{"requirements":[],"updates":[' + many * (15_900_000 // len(many)) + b"{}]}"
            self.refused(TABLES + "/good", data, "request body: its values take more than 268435456 bytes")
        self.assertEqual(self.state(), before)
