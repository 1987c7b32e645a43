"""The rest of the catalog's surface at a real store: names that move, files that are registered, lists in pages."""
import json
import urllib.parse

import e2e_catalog
import harness as h

V1 = "/v1/analytics"


class Surface(e2e_catalog.Catalog):
    """What the classes below share: other principals, namespaces, plain calls."""

    def call(self, method, path, body=None, token=None):
        return self.desk.call(method, V1 + path, token or self.token, body)

    def namespace(self, *levels):
        status, body = self.call("POST", "/namespaces", {"namespace": list(levels), "properties": {}})
        self.assertIn(status, (200, 409), body)

    def someone(self, name, *grants):
        """A token of a principal that holds these grants and no others."""
        self.folder.write(name + ".yaml", h.principal(name), h.manifest("CatalogRole", name, {
            "catalogRef": {"name": "analytics"}, "principals": [{"kind": "Principal", "name": name}],
            "grants": list(grants)}))
        client = h.wait_for(f"{name}'s Secret", lambda: self.credentials(name + "-credentials"))
        token = h.wait_for(f"{name}'s token", lambda: self.desk.token(client))
        h.wait_for(f"{name}'s grants", lambda: self.call("GET", "/namespaces", token=token)[0] != 404)
        return token

    def refused(self, answer, status, kind):
        self.assertEqual((answer[0], answer[1]["error"]["type"]), (status, kind), answer[1])

    def last_record(self, operation, **fields):
        def find():
            return [r for r in self.desk.audit() if r["operation"] == operation
                    and all(r.get(k) == v for k, v in fields.items())]
        return h.wait_for(f"a record of {operation}", find)[-1]


def identifier(namespace, name):
    return {"namespace": namespace.split("."), "name": name}


class Rename(Surface):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for ns in ("eu", "open", "closed"):
            cls.desk.call("POST", V1 + "/namespaces", cls.token, {"namespace": [ns]})

    def rename(self, source, target, token=None):
        return self.call("POST", "/tables/rename", {"source": identifier(*source.rsplit(".", 1)),
                                                    "destination": identifier(*target.rsplit(".", 1))}, token)

    def test_a_renamed_table_keeps_its_files_and_its_data(self):
        import pyarrow

        catalog = self.desk.pyiceberg(self.client)
        rows = pyarrow.table({"id": [1, 2, 3]})
        before = catalog.create_table("sales.moving", rows.schema)
        before.append(rows)
        after = catalog.rename_table("sales.moving", "eu.moved")
        self.assertEqual(after.location(), before.location())
        after.append(rows)
        self.assertEqual(len(catalog.load_table("eu.moved").scan().to_arrow()), 6)
        self.assertFalse(catalog.table_exists("sales.moving"))
        record = self.last_record("rename-table", namespace="sales", table="moving")
        self.assertEqual(record["details"], {"toNamespace": "eu", "toName": "moved"})

    def test_a_table_made_anew_under_the_old_name_does_not_land_in_the_renamed_ones_folder(self):
        first = self.create("reborn")[1]["metadata"]["location"]
        self.assertEqual(self.rename("sales.reborn", "eu.reborn")[0], 204)
        status, body = self.create("reborn")
        self.assertEqual(status, 200, body)
        second = body["metadata"]["location"]
        self.assertNotEqual(first, second)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        file = first[len("s3://warehouse/"):] + "/data/f.parquet"
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key=file, Body=b"x"), 403)
        self.assertEqual(self.create("squatter", location=first)[0], 403)
        self.assertEqual(self.call("DELETE", "/namespaces/sales/tables/reborn")[0], 204)
        self.assertEqual(self.call("GET", "/namespaces/eu/tables/reborn")[0], 200)

    def test_what_stands_in_the_way_is_named(self):
        self.create("one")
        self.create("two")
        self.refused(self.rename("sales.one", "sales.two"), 409, "AlreadyExistsException")
        self.refused(self.rename("sales.none", "sales.three"), 404, "NoSuchTableException")
        self.refused(self.rename("sales.one", "nowhere.one"), 404, "NoSuchNamespaceException")
        self.refused(self.rename("nowhere.one", "sales.three"), 404, "NoSuchTableException")
        for body in ({}, {"source": identifier("sales", "one")}, {"source": identifier("sales", "one"), "destination": 7},
                     {"source": {"namespace": [], "name": "one"}, "destination": identifier("sales", "x")},
                     {"source": identifier("sales", "one"), "destination": {"namespace": ["sales"], "name": ".."}}):
            with self.subTest(body):
                self.refused(self.call("POST", "/tables/rename", body), 400, "BadRequestException")
        self.assertEqual(self.call("HEAD", "/namespaces/sales/tables/one")[0], 204)

    def test_it_takes_the_right_to_drop_here_and_to_create_there(self):
        self.create("kept")
        drop = {"privileges": ["TABLE_DROP"], "namespaces": ["sales"]}
        make = {"privileges": ["TABLE_CREATE", "TABLE_LIST"], "namespaces": ["open"]}
        for name, grants, missing in (("dropper", [drop], "TABLE_LIST"), ("maker", [make], "TABLE_DROP")):
            answer = self.rename("sales.kept", "open.kept", self.someone(name, *grants))
            self.refused(answer, 403, "ForbiddenException")
            self.assertIn("lacks " + missing, answer[1]["error"]["message"])
        mover = self.someone("mover", drop, make)
        self.refused(self.rename("sales.kept", "closed.kept", mover), 403, "ForbiddenException")
        self.assertEqual(self.rename("sales.kept", "open.kept", mover)[0], 204)

    def test_nobody_reads_by_renaming_what_it_may_not_read(self):
        self.create("secret")
        thief = self.someone("thief", {"privileges": ["TABLE_DROP"], "namespaces": ["sales"]},
                             {"privileges": ["TABLE_FULL_METADATA", "TABLE_READ_DATA"], "namespaces": ["open"]})
        answer = self.rename("sales.secret", "open.secret", thief)
        self.refused(answer, 403, "ForbiddenException")
        self.assertEqual(self.last_record("rename-table", principal="lakehouse/thief")["missing"], "TABLE_READ_DATA")
        self.assertEqual(self.call("GET", "/namespaces/open/tables/secret/credentials", token=thief)[0], 404)
        self.assertEqual(self.call("HEAD", "/namespaces/sales/tables/secret")[0], 204)

    def test_keys_follow_the_name_at_once(self):
        self.create("keyed")
        path = "/namespaces/%s/tables/keyed/credentials"
        self.assertEqual(self.call("GET", path % "sales")[0], 200)
        self.assertEqual(self.rename("sales.keyed", "eu.keyed")[0], 204)
        self.assertEqual(self.call("GET", path % "sales")[0], 404)
        self.assertEqual(self.call("GET", path % "eu")[0], 200)
