"""What people run by hand: `frontdesk table` against a running server."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import harness as h
from e2e_server import make_pair

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u009b31m\nsecond line\\"


class Tables(unittest.TestCase):
    """A server whose tables lie in a folder, with tables that PyIceberg has written."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-people-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        cls.folder = h.Folder(cls.base)
        cls.folder.write("lakehouse.yaml", h.file_integration(),
                         h.catalog(defaultBaseLocation="file:" + cls.base + "/lake/one"),
                         h.catalog("my.lake", defaultBaseLocation="file:" + cls.base + "/lake/two"),
                         h.principal(), h.role(), h.role("other", catalog_name="my.lake"),
                         h.principal("reader"), h.role("reads", ["TABLE_READ_DATA"], [{"kind": "Principal", "name": "reader"}],
                                                       namespaces=["sales"], tables=["orders"]),
                         h.principal("stranger"))
        cls.rules = (*cls.folder.options(), "--file-storage", cls.base)
        cls.desk = h.Frontdesk(*cls.rules, folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        for name in ("etl", "reader", "stranger"):
            cls.folder.token(cls.desk, name, (401,))
        cls.clients = {name: cls.folder.credentials(name + "-credentials") for name in ("etl", "reader", "stranger")}
        cls.token = cls.folder.token(cls.desk)
        h.wait_for("the catalogs", lambda: all(
            cls.desk.call("POST", f"/v1/{c}/namespaces", cls.token, {"namespace": ["sales"]})[0] in (200, 409)
            for c in ("analytics", "my.lake")))
        cls.fill()

    @classmethod
    def fill(cls):
        import pyarrow as pa
        from pyiceberg.partitioning import PartitionField, PartitionSpec
        from pyiceberg.schema import Schema
        from pyiceberg.transforms import IdentityTransform
        from pyiceberg.types import LongType, NestedField, StringType, StructType

        catalog = cls.desk.pyiceberg(cls.clients["etl"])
        schema = Schema(NestedField(1, "id", LongType(), required=True, doc="of the order"), NestedField(2, "who", StringType()),
                        NestedField(3, "at", StructType(NestedField(4, "city", StringType()))), identifier_field_ids=[1])
        cls.orders = catalog.create_table("sales.orders", schema, partition_spec=PartitionSpec(
            PartitionField(2, 1000, IdentityTransform(), "by_who")), properties={"owner": "sales", "hostile": HOSTILE})
        rows = pa.schema([pa.field("id", pa.int64(), nullable=False), ("who", pa.string()), ("at", pa.struct([("city", pa.string())]))])
        for start in (0, 10):
            cls.orders.append(pa.table({"id": [start, start + 1], "who": ["a", "b"], "at": [{"city": "x"}, {"city": "y"}]}, rows))
        cls.orders.manage_snapshots().create_tag(cls.orders.current_snapshot().snapshot_id, "v1").commit()
        cls.orders = catalog.load_table("sales.orders")
        for namespace, table in ((["sales"], "empty"), (["sales", "eu.west"], "a \"b\"")):
            cls.desk.call("POST", "/v1/analytics/namespaces", cls.token, {"namespace": namespace})
            path = "%1F".join(namespace)
            status, body = cls.desk.call("POST", f"/v1/analytics/namespaces/{path}/tables", cls.token,
                                         {"name": table, "schema": h.SIMPLE_SCHEMA})
            assert status == 200, body
        status, body = cls.desk.call("POST", "/v1/my.lake/namespaces/sales/tables", cls.token,
                                     {"name": "orders", "schema": h.SIMPLE_SCHEMA})
        assert status == 200, body
        version = {"version-id": 1, "timestamp-ms": 1, "schema-id": 0, "summary": {}, "default-namespace": ["sales"],
                   "representations": [{"type": "sql", "sql": "SELECT 1", "dialect": "spark"}]}
        status, body = cls.desk.call("POST", "/v1/analytics/namespaces/sales/views", cls.token, {
            "name": "seen", "schema": h.SIMPLE_SCHEMA, "view-version": version, "properties": {}})
        assert status == 200, body

    def run_table(self, *arguments, who="etl", env=None, uri=None):
        client = self.clients[who]
        variables = {**os.environ, "FRONTDESK_URI": uri or self.desk.uri,
                     "FRONTDESK_CREDENTIAL": client["client-id"] + ":" + client["client-secret"], **(env or {})}
        return subprocess.run([h.program(), "table", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={k: v for k, v in variables.items() if v is not None}, timeout=60)

    def text(self, *arguments, **more):
        done = self.run_table(*arguments, **more)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)
        return done.stdout.decode()

    def json(self, *arguments, **more):
        return json.loads(self.text(*arguments, "-o", "json", **more))

    def refused(self, *arguments, code=1, **more):
        done = self.run_table(*arguments, **more)
        self.assertEqual((done.returncode, done.stdout), (code, b""), done)
        self.assertTrue(done.stderr.startswith(b"frontdesk: table: "), done.stderr)
        return done.stderr.decode()

    # ---- list ----

    def test_list_shows_tables_and_views_of_every_namespace(self):
        entries = self.json("list", "analytics")["entries"]
        self.assertEqual([(e["namespace"], e["name"], e["kind"]) for e in entries],
                         [(["sales"], "empty", "table"), (["sales"], "orders", "table"), (["sales"], "seen", "view"),
                          (["sales", "eu.west"], "a \"b\"", "table")])
        self.assertEqual(self.text("list", "analytics").split("\n"), [
            "NAMESPACE        NAME       KIND",
            "sales            empty      table",
            "sales            orders     table",
            "sales            seen       view",
            "sales.\"eu.west\"  \"a \"\"b\"\"\"  table", ""])

    def test_list_shows_one_namespace_and_what_is_below_it(self):
        self.assertEqual(len(self.json("list", "analytics", "--namespace", "sales")["entries"]), 4)
        below = self.json("list", "analytics", "--namespace", "sales.\"eu.west\"")["entries"]
        self.assertEqual([e["name"] for e in below], ["a \"b\""])
        self.assertIn("404", self.refused("list", "analytics", "--namespace", "nowhere"))

    def test_list_shows_what_the_caller_sees(self):
        done = self.run_table("list", "analytics", "--namespace", "sales", "-o", "json", who="reader")
        self.assertEqual([e["name"] for e in json.loads(done.stdout)["entries"]], ["orders"])
        self.assertEqual((done.returncode, done.stderr), (0, b"frontdesk: table: left out: 1 lists that the caller may not have\n"))

    # ---- show ----

    def test_show_says_what_pyiceberg_says(self):
        shown = self.json("show", "analytics.sales.orders")
        metadata = self.orders.metadata
        self.assertEqual((shown["catalog"], shown["namespace"], shown["name"], shown["uuid"], shown["formatVersion"]),
                         ("analytics", ["sales"], "orders", str(metadata.table_uuid), metadata.format_version))
        self.assertEqual([(c["id"], c["name"], c["type"], c["required"], c["identifier"], c.get("doc")) for c in shown["columns"]],
                         [(1, "id", "long", True, True, "of the order"), (2, "who", "string", False, False, None),
                          (3, "at", "struct<city: string>", False, False, None)])
        self.assertEqual(shown["partitioning"], [{"name": "by_who", "column": "who", "transform": "identity"}])
        self.assertEqual(shown["properties"], dict(metadata.properties))
        self.assertEqual({p["what"]: p["location"] for p in shown["locations"]},
                         {"table": metadata.location, "metadata": self.orders.metadata_location})
        self.assertEqual([s["id"] for s in shown["lastSnapshots"]], [str(s.snapshot_id) for s in reversed(metadata.snapshots)])
        self.assertEqual(shown["snapshotCount"], len(metadata.snapshots))
        self.assertNotIn("access", shown)

    def test_show_is_for_people_too(self):
        text = self.text("show", "analytics.sales.orders")
        self.assertIn("analytics.sales.orders\n", text)
        self.assertRegex(text, r"\n +1  id +long +yes +yes +of the order\n")
        self.assertRegex(text, r"\nPARTITIONED BY\n  NAME +COLUMN +TRANSFORM\n  by_who  who +identity\n")
        self.assertIn("SNAPSHOTS (last 2 of 2)", text)
        self.assertIn("who may do what: add --resources DIR or --kubeconfig FILE", text)
        self.assertIn("SORTED BY\n  none\n", text)

    def test_names_with_dots_and_quotes_are_found(self):
        self.assertEqual(self.json("show", "analytics.sales.\"eu.west\".\"a \"\"b\"\"\"")["namespace"], ["sales", "eu.west"])
        self.assertEqual(self.json("show", "my.lake.sales.orders")["catalog"], "my.lake")
        self.assertEqual(self.json("show", "\"my.lake\".sales.orders")["catalog"], "my.lake")

    def test_who_may_do_what_is_what_explain_says(self):
        shown = self.json("show", "analytics.sales.orders", *self.rules)
        access = {a["principal"]: a["privileges"] for a in shown["access"]}
        self.assertEqual(sorted(access), ["lakehouse/etl", "lakehouse/reader"])
        for principal, privileges in access.items():
            done = subprocess.run([h.program(), "explain", "--principal", principal, "--table", "analytics.sales.orders", "-o", "json",
                                   *self.rules], stdout=subprocess.PIPE, check=True)
            said = json.loads(done.stdout)["privileges"]
            self.assertEqual(privileges, {k: v for k, v in said.items() if k.startswith("TABLE_")})
        text = self.text("show", "analytics.sales.orders", *self.rules)
        self.assertRegex(text, r"\n  lakehouse/reader  read +list, read +CatalogRole lakehouse/reads grants\[0\]\n")
        self.assertRegex(text, r"\n  lakehouse/etl     read, write, delete  list, read, create, drop  "
                               r"structure, properties, encryption, location, snapshots  CatalogRole")

    def test_who_may_do_what_is_not_told_of_another_catalog(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertIn("no catalog analytics", self.refused("show", "analytics.sales.orders", "--resources", empty))

    # ---- history ----

    def test_history_shows_every_snapshot_and_metadata_file(self):
        told = self.json("history", "analytics.sales.orders")
        metadata = self.orders.metadata
        newest, first = told["snapshots"]
        self.assertEqual([s["id"] for s in told["snapshots"]], [str(s.snapshot_id) for s in reversed(metadata.snapshots)])
        self.assertEqual((newest["parent"], newest["operation"], newest["current"], sorted(newest["refs"])),
                         (first["id"], "append", True, ["main", "v1"]))
        self.assertEqual((first["current"], first["refs"], "parent" in first), (False, [], False))
        self.assertEqual((newest["addedRows"], newest["totalRows"], first["totalRows"]), (2, 4, 2))
        self.assertEqual([f["file"] for f in told["metadataLog"]],
                         [self.orders.metadata_location] + [e.metadata_file for e in reversed(metadata.metadata_log)])
        self.assertTrue(all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", x["time"])
                            for x in told["snapshots"] + told["metadataLog"]))
        text = self.text("history", "analytics.sales.orders")
        self.assertIn(newest["id"], text)
        self.assertRegex(text, r" append .* yes +main, v1\n")

    def test_a_table_without_snapshots_says_so(self):
        self.assertIn("SNAPSHOTS\n  none\n", self.text("history", "analytics.sales.empty"))

    # ---- attacks ----

    def test_nothing_that_a_terminal_obeys_is_printed(self):
        for command in ("show", "history"):
            text = self.text(command, "analytics.sales.orders")
            self.assertEqual(re.findall("[^\n -~\u00a0-\u1fff]", text), [])
        self.assertIn(r"\x1b]0;owned\x07\x1b[2J\u{202e}gnp.exe\u{9b}31m\nsecond line\\", self.text("show", "analytics.sales.orders"))
        self.assertEqual(self.json("show", "analytics.sales.orders")["properties"]["hostile"], HOSTILE)

    def test_a_credential_does_not_leave_this_machine_without_tls(self):
        for uri in ("http://192.0.2.1:8181", "http://127.0.0.1.example:8181", "ftp://127.0.0.1", "http://localhost.example"):
            self.assertRegex(self.refused("list", "analytics", uri=uri), "without TLS|not an http")

    def test_a_credential_in_the_address_is_refused_and_not_repeated(self):
        said = self.refused("list", "analytics", "--uri", "http://etl:hidden@127.0.0.1:1")
        self.assertNotIn("hidden", said)

    def test_a_caller_without_rights_learns_nothing(self):
        there = self.refused("show", "analytics.sales.orders", who="stranger")
        self.assertEqual(there.replace("orders", "x"), self.refused("show", "analytics.sales.x", who="stranger").replace("orders", "x"))

    def test_a_server_that_cannot_prove_itself_gets_no_credential(self):
        base = tempfile.mkdtemp(prefix="fd-people-tls-")
        self.addCleanup(shutil.rmtree, base, True)
        (cert, key), (other, _) = make_pair(base, "ours"), make_pair(base, "other")
        desk = h.Frontdesk("--resources", self.folder.base, "--state", self.folder.state, "--file-storage", self.base,
                           "--tls-cert", cert, "--tls-key", key, folder=base)
        try:
            for trusted in ((), ("--ca-file", other)):
                self.assertIn("certificate", self.refused("list", "analytics", *trusted, uri=desk.uri))
            self.assertEqual([r for r in desk.audit() if r["operation"] == "token"], [])
            self.assertEqual(self.json("list", "analytics", "--ca-file", cert, uri=desk.uri)["entries"], [])
            h.wait_for("the record", lambda: desk.audit()[0]["principal"] == "lakehouse/etl")
        finally:
            desk.stop()

    # ---- who asks ----

    def test_a_token_and_a_file_are_taken(self):
        none = {"FRONTDESK_CREDENTIAL": None}
        self.assertIn("FRONTDESK_TOKEN", self.refused("list", "analytics", env=none))
        self.text("list", "analytics", env={**none, "FRONTDESK_TOKEN": self.token})
        path = os.path.join(self.base, "credential")
        for content in (self.token, self.clients["etl"]["client-id"] + ":" + self.clients["etl"]["client-secret"] + "\n"):
            with open(path, "w") as f:
                f.write(content)
            self.text("list", "analytics", "--credential-file", path, env=none)
        self.assertIn("--credential-file", self.refused("list", "analytics", "--credential-file", path + "x"))

    def test_a_wrong_secret_is_told_in_the_servers_words(self):
        said = self.refused("list", "analytics", env={"FRONTDESK_CREDENTIAL": self.clients["etl"]["client-id"] + ":wrong"})
        self.assertIn("(401)", said)

    def test_a_server_that_is_not_there_is_told(self):
        self.assertIn("no answer", self.refused("list", "analytics", uri="http://127.0.0.1:9"))

    def test_wrong_usage_ends_with_2(self):
        for arguments in ((), ("list",), ("drop", "a.b.c"), ("show", "a.b"), ("show", "a..b"), ("show", "a.\"b.c"),
                          ("list", "a", "b"), ("list", "a", "-o", "yaml")):
            self.refused(*arguments, code=2)
