"""The rest of the catalog's surface at a real store: names that move, files that are registered, lists in pages."""
import base64
import json
import os
import sqlite3
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
        return self.folder.token(self.desk, name)

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
        self.assertEqual(self.last_record("rename-table", principal="lakehouse/thief")["missing"], "TABLE_READ_PROPERTIES")
        self.assertEqual(self.call("GET", "/namespaces/open/tables/secret/credentials", token=thief)[0], 404)
        self.assertEqual(self.call("HEAD", "/namespaces/sales/tables/secret")[0], 204)

    def test_keys_follow_the_name_at_once(self):
        self.create("keyed")
        path = "/namespaces/%s/tables/keyed/credentials"
        self.assertEqual(self.call("GET", path % "sales")[0], 200)
        self.assertEqual(self.rename("sales.keyed", "eu.keyed")[0], 204)
        self.assertEqual(self.call("GET", path % "sales")[0], 404)
        self.assertEqual(self.call("GET", path % "eu")[0], 200)


class Register(Surface):
    def register(self, name, file, token=None, **more):
        return self.desk.call("POST", V1 + "/namespaces/sales/register", token or self.token,
                              {"name": name, "metadata-location": file, **more},
                              X_Iceberg_Access_Delegation="vended-credentials")

    def put(self, file, text):
        text = json.dumps(text) if isinstance(text, dict) else text
        self.rgw.s3.put_object(Bucket="warehouse", Key=file[len("s3://warehouse/"):], Body=text)
        return file

    def orphan(self, name):
        """A table that was made and dropped: its metadata and where that lies."""
        status, body = self.create(name, location=f"s3://warehouse/lake/{name}")
        self.assertEqual(status, 200, body)
        self.assertEqual(self.call("DELETE", f"/namespaces/sales/tables/{name}")[0], 204)
        return body["metadata"], body["metadata-location"]

    def test_a_dropped_table_is_registered_again_with_its_data(self):
        import pyarrow

        catalog = self.desk.pyiceberg(self.client)
        rows = pyarrow.table({"id": [1, 2, 3]})
        table = catalog.create_table("sales.dropped", rows.schema)
        table.append(rows)
        catalog.drop_table("sales.dropped")
        again = catalog.register_table("sales.dropped", table.metadata_location)
        self.assertEqual(again.metadata_location, table.metadata_location)
        again.append(rows)
        self.assertEqual(len(catalog.load_table("sales.dropped").scan().to_arrow()), 6)
        record = self.last_record("register-table", table="dropped")
        self.assertEqual(record["details"], {"metadataLocation": table.metadata_location, "overwrite": False})

    def test_keys_of_a_registered_table_open_its_own_folders_only(self):
        metadata, file = self.orphan("keys")
        status, body = self.register("keys", file)
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/keys/data/f", Body=b"x"), 200)
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/keys2/data/f", Body=b"x"), 403)
        self.assertEqual(body["metadata"]["table-uuid"], metadata["table-uuid"])

    def test_a_neighbours_metadata_is_neither_registered_nor_looked_at(self):
        _, neighbour = self.create("neighbour", location="s3://warehouse/lake/neighbour")
        place = "s3://warehouse/lake/neighbour/metadata/"
        self.refused(self.register("copy", neighbour["metadata-location"]), 403, "ForbiddenException")
        # No metadata at all: had it been read, the answer would be another one.
        for file in ("spoilt.metadata.json", "absent.metadata.json"):
            if file.startswith("spoilt"):
                self.put(place + file, "rows of the neighbour")
            self.refused(self.register("copy", place + file), 403, "ForbiddenException")
        self.assertEqual(self.call("HEAD", "/namespaces/sales/tables/copy")[0], 404)

    def test_a_place_that_was_promised_to_another_is_not_looked_at(self):
        self.create("promised", location="s3://warehouse/lake/staged", **{"stage-create": True})
        other = self.someone("registrar", {"privileges": ["TABLE_CREATE"], "namespaces": ["sales"]})
        answer = self.register("x", "s3://warehouse/lake/staged/metadata/00000-x.metadata.json", other)
        self.refused(answer, 403, "ForbiddenException")

    def test_what_is_no_metadata_within_the_allowed_places_is_not_read(self):
        self.put("s3://warehouse/lake/secret.txt", "secret")
        for status, file in ((403, "s3://warehouse/other/x.metadata.json"), (403, "s3://elsewhere/lake/x.metadata.json"),
                             (400, "s3://warehouse/lake/secret.txt"), (400, "s3://warehouse/lake/../x.metadata.json"),
                             (400, "s3://warehouse/lake/a/%2e%2e/x.metadata.json"), (403, "file:///etc/x.metadata.json"),
                             (400, "s3://warehouse/lake//x.metadata.json"), (400, ""), (400, 7),
                             (403, "s3://warehouse/lake.metadata.json"), (400, "s3://warehouse/lake/x.metadata.json/")):
            with self.subTest(file):
                self.assertEqual(self.register("stranger", file)[0], status)
        self.refused(self.register("stranger", "s3://warehouse/lake/none/none.metadata.json"), 404, "NotFoundException")

    def test_metadata_that_points_elsewhere_is_refused(self):
        self.create("victim", location="s3://warehouse/lake/victim")
        metadata, file = self.orphan("pointer")
        victim, outside, own = "s3://warehouse/lake/victim", "s3://warehouse/other/place", "s3://warehouse/lake/pointer"
        snapshot = {"snapshot-id": 1, "sequence-number": 0, "timestamp-ms": 1, "schema-id": 0,
                    "summary": {"operation": "append"}}
        for change in ({"location": victim}, {"location": victim + "/inside"}, {"location": "s3://warehouse/lake"},
                       {"location": outside}, {"location": "s3://warehouse/lake/third"},
                       {"properties": {"write.data.path": victim}}, {"properties": {"write.data.path": outside}},
                       {"properties": {"write.metadata.path": victim + "/metadata"}},
                       {"properties": {"write.object-storage.path": outside}},
                       {"snapshots": [{**snapshot, "manifest-list": victim + "/metadata/l.avro"}]},
                       {"snapshots": [{**snapshot, "manifest-list": own + "2/l.avro"}]},
                       {"statistics": [{"snapshot-id": 1, "statistics-path": victim + "/s.puffin", "file-size-in-bytes": 1,
                                         "file-footer-size-in-bytes": 1, "blob-metadata": []}]}):
            with self.subTest(change):
                self.put(file, {**metadata, **change})
                self.refused(self.register("pointer", file), 403, "ForbiddenException")
        self.put(file, metadata)
        self.assertEqual(self.register("pointer", file)[0], 200)

    def test_metadata_that_is_not_sound_is_refused(self):
        import gzip

        metadata, file = self.orphan("unsound")
        for change in ({"format-version": 4}, {"format-version": 0}, {"table-uuid": None}, {"table-uuid": "x"},
                       {"schemas": []}, {"current-schema-id": 9}, {"location": None}, {"refs": {"b": {"snapshot-id": 4}}},
                       {"properties": []}, {"partition-specs": 1}):
            with self.subTest(change):
                self.put(file, {**metadata, **change})
                self.refused(self.register("unsound", file), 400, "BadRequestException")
        for text in ("", "{", "[]", "x" * 100, gzip.compress(b" " * (65 * 1024 * 1024)), b"\x1f\x8bcut"):
            with self.subTest(text[:10]):
                self.put(file, text)
                self.refused(self.register("unsound", file), 400, "BadRequestException")
        for version in (1, 2, 3):
            with self.subTest(version):
                name = f"version{version}"
                _, file = self.orphan_of_format(name, version)
                self.assertEqual(self.register(name, file)[0], 200)
        packed = self.put("s3://warehouse/lake/unsound/metadata/00001-x.gz.metadata.json",
                          gzip.compress(json.dumps(metadata).encode()))
        self.assertEqual(self.register("unsound", packed)[0], 200)

    def orphan_of_format(self, name, version):
        _, body = self.create(name, location=f"s3://warehouse/lake/{name}", properties={"format-version": str(version)})
        self.assertEqual(self.call("DELETE", f"/namespaces/sales/tables/{name}")[0], 204)
        return body["metadata"], body["metadata-location"]

    def test_a_name_that_is_taken_is_overwritten_only_when_asked_and_by_the_same_table(self):
        _, made = self.create("back", location="s3://warehouse/lake/back")
        self.assertEqual(self.commit("back", {"action": "set-properties", "updates": {"k": "v"}})[0], 200)
        self.refused(self.register("back", made["metadata-location"]), 409, "AlreadyExistsException")
        status, body = self.register("back", made["metadata-location"], overwrite=True)
        self.assertEqual(status, 200, body)
        self.assertNotIn("k", self.call("GET", "/namespaces/sales/tables/back")[1]["metadata"]["properties"])
        # Its own place, but a file that says it is another table.
        forged = {**made["metadata"], "table-uuid": "11111111-2222-3333-4444-555555555555"}
        file = self.put("s3://warehouse/lake/back/metadata/00009-forged.metadata.json", forged)
        self.refused(self.register("back", file, overwrite=True), 409, "AlreadyExistsException")
        _, orphan = self.orphan("stray")
        self.refused(self.register("back", orphan, overwrite=True), 403, "ForbiddenException")
        self.assertEqual(self.register("stray", orphan, overwrite=True)[0], 200)
        self.refused(self.desk.call("POST", V1 + "/namespaces/nowhere/register", self.token,
                                    {"name": "x", "metadata-location": orphan}), 404, "NoSuchNamespaceException")

    def test_overwriting_takes_more_than_creating(self):
        _, made = self.create("guarded", location="s3://warehouse/lake/guarded")
        creator = self.someone("creator", {"privileges": ["TABLE_CREATE"], "namespaces": ["sales"]})
        answer = self.register("guarded", made["metadata-location"], creator, overwrite=True)
        self.refused(answer, 403, "ForbiddenException")
        self.assertIn("TABLE_DROP", answer[1]["error"]["message"])
        self.refused(self.register("guarded", made["metadata-location"], creator), 409, "AlreadyExistsException")
        lister = self.someone("lister", {"privileges": ["TABLE_READ_DATA", "TABLE_WRITE_DATA"]})
        self.refused(self.register("mine", made["metadata-location"], lister), 403, "ForbiddenException")

    def test_a_file_that_changed_before_it_was_registered_is_read_anew_by_every_loop(self):
        metadata, file = self.orphan("changed")
        for value in ("one", "two"):
            self.put(file, {**metadata, "properties": {"is": value}})
            self.assertEqual(self.register("changed", file)[0], 200)
            found = {self.call("GET", "/namespaces/sales/tables/changed")[1]["metadata"]["properties"]["is"]
                     for _ in range(20)}
            self.assertEqual(found, {value})
            self.assertEqual(self.call("DELETE", "/namespaces/sales/tables/changed")[0], 204)


class Lists(Surface):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder.write("dotted.yaml", h.integration(cls.endpoint(), "other", allowedLocations=["s3://warehouse/other/*"]),
                         h.catalog("dotted", storageIntegrationRef={"name": "other"},
                                   properties={"namespace-separator": "%2E"}),
                         h.role("dotted", catalog_name="dotted"))
        h.wait_for_loops("the catalog", lambda: cls.desk.call("GET", "/v1/dotted/namespaces", cls.token)[0] == 200)
        for levels in (["a"], ["a", "b"], ["a", "b c/é+%20.x"], ["a", "b", "c"], ["p"], ["q r"]):
            status, body = cls.desk.call("POST", V1 + "/namespaces", cls.token, {"namespace": levels})
            assert status == 200, body
        for i in range(7):
            cls.create(f"t{i}")

    def query(self, path, token=None, **query):
        return self.call("GET", f"{path}?{urllib.parse.urlencode(query)}", token=token)

    def pages(self, path, key, size, token=None):
        found, at = [], ""
        while at is not None:
            status, body = self.query(path, token, pageToken=at, pageSize=size)
            self.assertEqual(status, 200, body)
            self.assertLessEqual(len(body[key]), size)
            found.append(body[key])
            at = body.get("next-page-token")
        return found

    def test_every_endpoint_that_is_served_is_documented(self):
        served = self.desk.call("GET", "/v1/config?warehouse=analytics", self.token)[1]["endpoints"]
        with open(h.TOP + "/docs/REST.md") as f:
            text = f.read()
        self.assertEqual([e for e in served if f"`{e}`" not in text], [])

    def test_pages_hold_every_entry_once_and_the_last_one_says_so(self):
        tables = "/namespaces/sales/tables"
        everything = [i["name"] for i in self.call("GET", tables)[1]["identifiers"]]
        self.assertEqual(everything, sorted(["first"] + [f"t{i}" for i in range(7)]))
        for size in (1, 3, 4, 8, 9):
            with self.subTest(size):
                pages = self.pages(tables, "identifiers", size)
                self.assertEqual([i["name"] for p in pages for i in p], everything)
                self.assertEqual(len(pages), -(-len(everything) // size))
        names = [n[0] for p in self.pages("/namespaces", "namespaces", 2) for n in p]
        self.assertEqual(names, ["a", "p", "q r", "sales"])

    def test_who_does_not_page_is_told_everything(self):
        for query in ({}, {"pageSize": 2}):
            status, body = self.query("/namespaces/sales/tables", **query)
            self.assertEqual((status, len(body["identifiers"]), body.get("next-page-token")), (200, 8, None))

    def test_a_page_grows_with_what_came_after_it_was_told(self):
        tables = "/namespaces/p/tables"
        for name in ("b", "d"):
            self.call("POST", tables, {"name": name, "schema": h.SIMPLE_SCHEMA})
        _, body = self.query(tables, pageToken="", pageSize=1)
        for name in ("a", "c"):
            self.call("POST", tables, {"name": name, "schema": h.SIMPLE_SCHEMA})
        _, rest = self.query(tables, pageToken=body["next-page-token"], pageSize=9)
        self.assertEqual([i["name"] for i in body["identifiers"] + rest["identifiers"]], ["b", "c", "d"])

    def test_a_token_that_is_not_of_this_list_is_refused(self):
        tables = "/namespaces/sales/tables"
        token = self.query(tables, pageToken="", pageSize=2)[1]["next-page-token"]
        last, seal = token.split(".")
        self.assertEqual(self.query(tables, pageToken=token)[0], 200)
        other = self.someone("pager", {"privileges": ["CATALOG_MANAGE_CONTENT"]})
        self.refused(self.query(tables, other, pageToken=token), 400, "BadRequestException")
        self.refused(self.query("/namespaces/p/tables", pageToken=token), 400, "BadRequestException")
        self.refused(self.query("/namespaces", pageToken=token), 400, "BadRequestException")
        for forged in ("t1", last, "." + seal, "dDE." + seal, last + ".", last + "." + seal[:-1], last + "." + "A" * 43,
                       token + "x", token[1:], token + "." + seal, "x" * 5000, "%", "é.é",
                       # The name of the token, and more behind a NUL.
                       base64.urlsafe_b64encode(b"t0\0x").decode().rstrip("=") + "." + seal):
            with self.subTest(forged):
                self.assertEqual(self.query(tables, pageToken=forged)[0], 400, forged)
        for size in ("0", "-1", "x", "99999999999999999999"):
            with self.subTest(size):
                self.refused(self.query(tables, pageToken="", pageSize=size), 400, "BadRequestException")
        self.assertEqual(self.query(tables, pageToken="", pageSize="")[0], 200)  # as if it were not there

    def test_pages_hold_and_name_only_what_the_caller_sees(self):
        seer = self.someone("seer", {"privileges": ["TABLE_LIST"], "namespaces": ["sales"], "tables": ["t2", "t5"]})
        path = "/namespaces/sales/tables"
        self.assertEqual(self.pages(path, "identifiers", 1, seer), [
            [{"namespace": ["sales"], "name": "t2"}], [{"namespace": ["sales"], "name": "t5"}]])

    def test_nested_namespaces_are_listed_a_level_at_a_time(self):
        for parent, want in (("a", [["a", "b"], ["a", "b c/é+%20.x"]]), ("a\x1fb", [["a", "b", "c"]]),
                             ("a\x1fb\x1fc", []), ("a\x1fb c/é+%20.x", []), ("q r", []),
                             # PyIceberg encodes each level once more.
                             ("a\x1fb%20c%2F%C3%A9%2B%2520.x", []), ("q%20r", [])):
            with self.subTest(parent):
                status, body = self.query("/namespaces", parent=parent)
                self.assertEqual((status, body.get("namespaces")), (200, want), body)
        for parent in ("nowhere", "a\x1fnowhere", "q%20", "q+r"):
            with self.subTest(parent):
                self.refused(self.query("/namespaces", parent=parent), 404, "NoSuchNamespaceException")
        self.refused(self.query("/namespaces", parent="a\x1f"), 400, "BadRequestException")
        self.assertEqual(self.query("/namespaces", parent="")[1]["namespaces"], self.call("GET", "/namespaces")[1]["namespaces"])
        catalog = self.desk.pyiceberg(self.client)
        self.assertEqual(catalog.list_namespaces(("a", "b c/é+%20.x")), [])
        self.assertEqual(catalog.list_namespaces("a"), [("a", "b"), ("a", "b c/é+%20.x")])

    def test_namespaces_of_any_spelling_hold_tables_and_each_other(self):
        exotic = "/namespaces/a%1Fb%20c%2F%C3%A9%2B%2520.x"
        self.assertEqual(self.call("GET", exotic)[1]["namespace"], ["a", "b c/é+%20.x"])
        self.assertEqual(self.call("GET", exotic.replace("%20c", "+c", 1).replace("%1F", "%1f"))[0], 200)
        status, body = self.call("POST", exotic + "/tables", {"name": "t / é+%", "schema": h.SIMPLE_SCHEMA})
        self.assertEqual(status, 200, body)
        self.assertEqual(self.call("HEAD", exotic + "/tables/t%20%2F%20%C3%A9%2B%25")[0], 204)
        self.assertEqual(self.call("GET", exotic + "/tables")[1]["identifiers"],
                         [{"namespace": ["a", "b c/é+%20.x"], "name": "t / é+%"}])
        self.refused(self.call("POST", "/namespaces", {"namespace": ["x", "y"]}), 404, "NoSuchNamespaceException")
        self.refused(self.call("DELETE", "/namespaces/a%1Fb"), 409, "NamespaceNotEmptyException")

    def test_the_separator_that_a_catalog_advertises_is_taken_beside_the_old_one(self):
        config = self.desk.call("GET", "/v1/config?warehouse=dotted", self.token)[1]["defaults"]
        self.assertEqual(config["namespace-separator"], "%2E")
        for levels in (["x"], ["x", "y"]):
            status, body = self.desk.call("POST", "/v1/dotted/namespaces", self.token, {"namespace": levels})
            self.assertEqual(status, 200, body)
        for path in ("x%2Ey", "x%1Fy", "x.y"):
            with self.subTest(path):
                status, body = self.desk.call("GET", f"/v1/dotted/namespaces/{path}", self.token)
                self.assertEqual((status, body.get("namespace")), (200, ["x", "y"]))
        self.assertEqual(self.desk.call("GET", "/v1/dotted/namespaces?parent=x", self.token)[1]["namespaces"], [["x", "y"]])
        self.refused(self.desk.call("POST", "/v1/dotted/namespaces", self.token, {"namespace": ["x.y"]}), 400,
                     "BadRequestException")

    def test_refs_only_leaves_out_old_snapshots_and_nothing_else(self):
        location = "s3://warehouse/lake/refs"
        self.create("refs", location=location)
        for i, parent in ((1, None), (2, 1), (3, 2)):
            status, body = self.commit("refs", *e2e_catalog.append(i, location, parent, i))
            self.assertEqual(status, 200, body)
        everything = self.call("GET", "/namespaces/sales/tables/refs?snapshots=all")[1]["metadata"]
        refs = self.call("GET", "/namespaces/sales/tables/refs?snapshots=refs")[1]["metadata"]
        self.assertEqual([s["snapshot-id"] for s in everything["snapshots"]], [1, 2, 3])
        self.assertEqual(refs, {**everything, "snapshots": [s for s in everything["snapshots"] if s["snapshot-id"] == 3]})


class Reports(Surface):
    SCAN = {"report-type": "scan-report", "table-name": "someone.elses.table", "snapshot-id": 7, "schema-id": 0,
            "filter": True, "projected-field-ids": [1], "projected-field-names": ["id"],
            "metrics": {"result-data-files": {"unit": "count", "value": 3}}}
    COMMIT = {"report-type": "commit-report", "table-name": "t", "snapshot-id": 7, "sequence-number": 1,
              "operation": "append", "metrics": {}}
    PATH = "/namespaces/sales/tables/first/metrics"

    def test_a_report_is_one_record_of_the_table_it_was_sent_to(self):
        self.assertEqual(self.call("POST", self.PATH, self.SCAN), (204, None))
        record = self.last_record("report-metrics")
        self.assertEqual((record["table"], record["decision"]), ("first", "allowed"))
        self.assertEqual(record["details"]["report"], {"type": "scan-report", "snapshotId": 7,
                                                       "metrics": {"result-data-files": 3}})
        self.assertNotIn("elses", json.dumps(record))

    def test_who_may_not_read_does_not_report_scans_and_who_may_not_write_no_commits(self):
        reader = self.someone("reader", {"privileges": ["TABLE_READ_DATA"], "namespaces": ["sales"]})
        self.assertEqual(self.call("POST", self.PATH, self.SCAN, reader)[0], 204)
        self.refused(self.call("POST", self.PATH, self.COMMIT, reader), 403, "ForbiddenException")
        self.assertEqual(self.call("POST", self.PATH, self.COMMIT)[0], 204)
        lister = self.someone("onlooker", {"privileges": ["TABLE_LIST"], "namespaces": ["sales"]})
        self.refused(self.call("POST", self.PATH, self.SCAN, lister), 403, "ForbiddenException")

    def test_what_is_no_report_or_of_no_table_is_refused(self):
        self.refused(self.call("POST", "/namespaces/sales/tables/none/metrics", self.SCAN), 404, "NoSuchTableException")
        for body in ({}, {"report-type": "scan-report"}, {**self.SCAN, "report-type": "x"}, {**self.SCAN, "metrics": 1}):
            with self.subTest(body):
                self.refused(self.call("POST", self.PATH, body), 400, "BadRequestException")

    def test_a_large_report_is_taken_up_to_the_limit_and_leaves_a_small_record(self):
        def report(length):
            body = {**self.SCAN, "filter": "", "metrics": {"m" * 100 + str(i): {"value": i} for i in range(300)}}
            body["filter"] = "x" * (length - len(json.dumps(body)))
            self.assertEqual(len(json.dumps(body)), length)
            return body
        self.assertEqual(self.desk.call("POST", V1 + self.PATH, self.token, report(512 * 1024), User_Agent="large")[0], 204)
        self.refused(self.call("POST", self.PATH, report(512 * 1024 + 1)), 413, "BadRequestException")
        self.assertLess(len(json.dumps(self.last_record("report-metrics", userAgent="large"))), 10000)


class Transactions(Surface):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desk.call("POST", V1 + "/namespaces", cls.token, {"namespace": ["eu"]})

    def two(self, name):
        """Two tables, one in each namespace."""
        for ns in ("sales", "eu"):
            status, body = self.call("POST", f"/namespaces/{ns}/tables", {
                "name": name, "schema": h.SIMPLE_SCHEMA, "location": f"s3://warehouse/lake/{ns}/{name}"})
            self.assertEqual(status, 200, body)
        return ("sales", name), ("eu", name)

    @staticmethod
    def change(table, *updates, requirements=()):
        return {"identifier": identifier(*table), "requirements": list(requirements), "updates": list(updates)}

    def transact(self, *changes, token=None):
        return self.call("POST", "/transactions/commit", {"table-changes": list(changes)}, token)

    @staticmethod
    def put(**properties):
        return {"action": "set-properties", "updates": properties}

    def load(self, table):
        return self.call("GET", f"/namespaces/{table[0]}/tables/{table[1]}")[1]

    def properties(self, table):
        return self.load(table)["metadata"]["properties"]

    def files(self, name):
        return self.keys(f"lake/sales/{name}/") + self.keys(f"lake/eu/{name}/")

    def test_tables_change_together_and_the_record_names_them(self):
        one, two = self.two("pair")
        self.assertEqual(self.transact(self.change(one, self.put(k="1")), self.change(two, self.put(k="2"))), (204, None))
        self.assertEqual((self.properties(one)["k"], self.properties(two)["k"]), ("1", "2"))
        self.assertEqual(len(self.files("pair")), 4)
        update = [{"action": "set-properties", "properties": ["k"]}]
        self.last_record("commit-transaction", details={"tables": ["sales.pair", "eu.pair"], "updates": [update, update]})

    def test_one_requirement_that_fails_changes_no_table_and_leaves_no_file(self):
        one, two = self.two("strict")
        wrong = {"type": "assert-current-schema-id", "current-schema-id": 7}
        before = self.files("strict")
        for updates in ((self.put(k="2"),), ()):
            answer = self.transact(self.change(one, self.put(k="1")), self.change(two, *updates, requirements=[wrong]))
            self.refused(answer, 409, "CommitFailedException")
            self.assertIn("eu.strict: Requirement failed: current schema changed", answer[1]["error"]["message"])
        for bad in ({"action": "nonsense"}, {"action": "set-current-schema", "schema-id": 5}):
            self.refused(self.transact(self.change(one, self.put(k="1")), self.change(two, bad)), 400, "BadRequestException")
        self.assertNotIn("k", self.properties(one))
        self.assertEqual(self.files("strict"), before)

    def test_of_transactions_that_race_each_is_whole(self):
        import threading

        one, two = self.two("raced")
        answers = []

        def run(i):
            for _ in range(4):
                order = (one, two) if i % 2 else (two, one)
                answers.append(self.transact(*[self.change(t, self.put(k=f"{i}", **{f"w{i}": "x"})) for t in order])[0])
        racers = [threading.Thread(target=run, args=(i,)) for i in range(4)]
        for r in racers:
            r.start()
        for r in racers:
            r.join(60)
        self.assertEqual(set(answers) - {204, 409}, set())
        self.assertIn(204, answers)
        self.assertEqual(self.properties(one), self.properties(two))
        logged = [len(self.load(t)["metadata"]["metadata-log"]) for t in (one, two)]
        self.assertEqual(logged[0], logged[1])
        self.assertEqual(len(self.files("raced")), 2 + sum(logged))

    def test_every_table_is_authorised_before_any_is_looked_at(self):
        one, two = self.two("guarded")
        half = self.someone("half", {"privileges": ["TABLE_WRITE_DATA"], "namespaces": ["sales"]})
        before = self.files("guarded")
        self.refused(self.transact(self.change(one, self.put(k="1")), self.change(two, self.put(k="1")), token=half),
                     403, "ForbiddenException")
        self.assertEqual(self.last_record("commit-transaction", principal="lakehouse/half")["namespace"], "eu")
        self.refused(self.transact(self.change(("sales", "none")), self.change(("eu", "none")), token=half),
                     403, "ForbiddenException")
        self.assertEqual(self.files("guarded"), before)
        self.assertEqual(self.transact(self.change(one, self.put(k="1")), token=half)[0], 204)
        reader = self.someone("onlyreads", {"privileges": ["TABLE_READ_DATA"]})
        self.refused(self.transact(self.change(one, *e2e_catalog.append(1, "s3://warehouse/lake/sales/guarded")),
                                   token=reader), 403, "ForbiddenException")

    def test_what_is_no_transaction_is_refused(self):
        one, _ = self.two("form")
        many = [self.change(("sales", f"none{i}")) for i in range(65)]
        self.refused(self.transact(*many), 400, "BadRequestException")
        self.refused(self.transact(*many[:64]), 404, "NoSuchTableException")
        for changes in ([], [{}], [7], [{"requirements": [], "updates": []}], [self.change(one), self.change(one)],
                        [self.change(one, requirements=[{"type": "assert-create"}, {"type": "assert-create"}])]):
            with self.subTest(changes):
                self.refused(self.transact(*changes), 400, "BadRequestException")
        for body in ({}, {"table-changes": {}}, []):
            self.refused(self.call("POST", "/transactions/commit", body), 400, "BadRequestException")
        self.assertEqual(self.transact(self.change(one))[0], 204)
        self.assertEqual(len(self.files("form")), 2)

    def test_a_place_that_is_anothers_or_taken_twice_is_refused_and_nothing_written(self):
        one, two = self.two("placed")
        self.create("host", location="s3://warehouse/lake/host")
        before = self.files("placed") + self.keys("lake/host/")
        both = "s3://warehouse/lake/both"
        for first, second in (("s3://warehouse/lake/host", None), ("s3://warehouse/other", None), (both, both + "/in")):
            with self.subTest(first):
                changes = [self.change(one, {"action": "set-location", "location": first}),
                           self.change(two, self.put(k="1"), *([{"action": "set-location", "location": second}] if second else []))]
                self.refused(self.transact(*changes), 403, "ForbiddenException")
                self.refused(self.transact(*reversed(changes)), 403, "ForbiddenException")
                self.assertEqual(self.files("placed") + self.keys("lake/host/") + self.keys("lake/both/"), before)

    def test_a_transaction_that_comes_again_is_answered_as_the_first(self):
        one, two = self.two("again")
        absent = [{"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None}]
        changes = [self.change(one, *e2e_catalog.append(1, "s3://warehouse/lake/sales/again"), requirements=absent),
                   self.change(two, *e2e_catalog.append(2, "s3://warehouse/lake/eu/again"), requirements=absent)]
        self.assertEqual(self.transact(*changes)[0], 204)
        before = self.files("again")
        self.assertEqual(self.transact(*changes)[0], 204)
        self.assertEqual(self.files("again"), before)
        # Files of one table that are in use beside others that are not: neither done nor failed.
        changes[1] = self.change(two, *e2e_catalog.append(3, "s3://warehouse/lake/eu/again"), requirements=absent)
        self.refused(self.transact(*changes), 500, "CommitStateUnknownException")
        changes[0] = self.change(one, *e2e_catalog.append(4, "s3://warehouse/lake/sales/again"), requirements=absent)
        self.refused(self.transact(*changes), 409, "CommitFailedException")

    def test_a_staged_table_appears_with_what_changes_beside_it(self):
        one, _ = self.two("beside")
        status, body = self.create("staged", location="s3://warehouse/lake/stagedhere", **{"stage-create": True})
        metadata = body["metadata"]
        new = self.change(("sales", "staged"), {"action": "assign-uuid", "uuid": metadata["table-uuid"]},
                          {"action": "upgrade-format-version", "format-version": 2},
                          {"action": "add-schema", "schema": metadata["schemas"][0]},
                          {"action": "set-current-schema", "schema-id": -1},
                          {"action": "add-spec", "spec": metadata["partition-specs"][0]},
                          {"action": "set-default-spec", "spec-id": -1},
                          {"action": "add-sort-order", "sort-order": metadata["sort-orders"][0]},
                          {"action": "set-default-sort-order", "sort-order-id": -1},
                          {"action": "set-location", "location": metadata["location"]},
                          requirements=[{"type": "assert-create"}])
        elsewhere = json.loads(json.dumps(new).replace("lake/stagedhere", "lake/elsewhere"))
        self.refused(self.transact(self.change(one, self.put(k="1")), elsewhere), 403, "ForbiddenException")
        self.assertEqual(self.transact(self.change(one, self.put(k="1")), new)[0], 204)
        self.assertEqual(self.load(("sales", "staged"))["metadata"]["table-uuid"], metadata["table-uuid"])
        # It comes again, the answer being lost: its files are in use and may not be deleted.
        self.refused(self.transact(self.change(one, self.put(k="2")), new), 500, "CommitStateUnknownException")
        wrong = [{"type": "assert-current-schema-id", "current-schema-id": 7}]
        self.refused(self.transact(self.change(one, requirements=wrong), new), 500, "CommitStateUnknownException")
        another = json.loads(json.dumps(new).replace(metadata["table-uuid"], "11111111-2222-3333-4444-555555555555"))
        self.refused(self.transact(self.change(one, self.put(k="2")), another), 409, "CommitFailedException")
        self.assertEqual(self.properties(one)["k"], "1")

    def test_a_store_that_breaks_in_the_middle_has_moved_nothing(self):
        one, two = self.two("broken")
        before = self.files("broken")
        db = sqlite3.connect(os.path.join(self.base, "catalog.db"))
        db.execute("CREATE TRIGGER broken AFTER UPDATE ON tables WHEN NEW.ns = 'eu'"
                   " BEGIN SELECT abs(-9223372036854775808); END")
        db.commit()
        try:
            status, body = self.transact(self.change(one, self.put(k="1")), self.change(two, self.put(k="1")))
            self.assertEqual((status, body["error"]["message"]), (503, "the transaction was not applied; try again"))
            self.assertEqual(self.files("broken"), before)
            self.assertNotIn("k", self.properties(one))
        finally:
            db.execute("DROP TRIGGER broken")
            db.commit()
            db.close()
        self.assertEqual(self.transact(self.change(one, self.put(k="1")), self.change(two, self.put(k="1")))[0], 204)


class Views(Surface):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for ns in ("eu", "open", "sales"):
            cls.desk.call("POST", V1 + "/namespaces", cls.token, {"namespace": [ns]})

    @staticmethod
    def version(sql="select 1", dialect="spark", schema=0, version=1):
        return {"version-id": version, "timestamp-ms": 1700000000000, "schema-id": schema, "summary": {"engine-name": "e2e"},
                "default-namespace": ["sales"], "representations": [{"type": "sql", "sql": sql, "dialect": dialect}]}

    def view(self, name, token=None, ns="sales", **more):
        return self.call("POST", f"/namespaces/{ns}/views", {"name": name, "schema": h.SIMPLE_SCHEMA, "properties": {},
                                                            "view-version": self.version(), **more}, token)

    def made(self, name, **more):
        status, body = self.view(name, **more)
        self.assertEqual(status, 200, body)
        return body

    def replace(self, name, *updates, requirements=(), token=None):
        return self.call("POST", f"/namespaces/sales/views/{name}", {"requirements": list(requirements),
                                                                    "updates": list(updates)}, token)

    def again(self, sql, **more):
        return [{"action": "add-view-version", "view-version": self.version(sql, **more)},
                {"action": "set-current-view-version", "view-version-id": -1}]

    def test_pyiceberg_makes_lists_loads_and_drops_views(self):
        from pyiceberg.schema import Schema
        from pyiceberg.types import LongType, NestedField
        from pyiceberg.view.metadata import SQLViewRepresentation, ViewVersion

        catalog = self.desk.pyiceberg(self.client)
        version = ViewVersion(version_id=1, schema_id=1, timestamp_ms=12345, summary={"engine-name": "py"},
                              representations=[SQLViewRepresentation(type="sql", sql="SELECT 1 AS id", dialect="spark")],
                              default_namespace=["sales"])
        view = catalog.create_view("sales.py", Schema(NestedField(1, "id", LongType(), required=False)), version)
        self.assertEqual(view.name(), ("sales", "py"))
        self.assertIn(("sales", "py"), catalog.list_views("sales"))
        self.assertTrue(catalog.view_exists("sales.py"))
        self.assertFalse(catalog.table_exists("sales.py"))
        loaded = catalog.load_view("sales.py")
        self.assertEqual(loaded.metadata.versions[0].representations[0].root.sql, "SELECT 1 AS id")
        catalog.drop_view("sales.py")
        self.assertFalse(catalog.view_exists("sales.py"))

    def test_a_view_is_replaced_and_remembers_what_it_was(self):
        made = self.made("grows")
        uuid = [{"type": "assert-view-uuid", "uuid": made["metadata"]["view-uuid"]}]
        status, body = self.replace("grows", *self.again("select 2"), requirements=uuid)
        self.assertEqual(status, 200, body)
        self.assertEqual(body, self.call("GET", "/namespaces/sales/views/grows")[1])
        self.assertEqual([e["version-id"] for e in body["metadata"]["version-log"]], [1, 2])
        self.assertIn("/00001-", body["metadata-location"])
        # The same again writes nothing.
        self.assertEqual(self.replace("grows", *self.again("select 2"), requirements=uuid), (200, body))
        wrong = [{"type": "assert-view-uuid", "uuid": "11111111-2222-3333-4444-555555555555"}]
        self.refused(self.replace("grows", *self.again("x"), requirements=wrong), 409, "CommitFailedException")
        self.refused(self.replace("none", *self.again("x")), 404, "NoSuchViewException")
        for updates in (self.again("x", dialect="trino"), [{"action": "add-snapshot"}], [{"action": "set-current-view-version"}]):
            self.refused(self.replace("grows", *updates), 400, "IllegalArgumentException")
        self.assertEqual(self.call("GET", "/namespaces/sales/views/grows")[1], body)

    def test_replacements_that_race_all_take_effect_and_leave_no_stray_file(self):
        import threading

        self.made("raced", location="s3://warehouse/lake/racedview")
        answers = []
        racers = [threading.Thread(target=lambda i=i: answers.append(self.replace("raced", *self.again(f"select {i}"))[0]))
                  for i in range(2, 6)]
        for r in racers:
            r.start()
        for r in racers:
            r.join(60)
        self.assertEqual(set(answers) - {200, 409}, set())
        log = self.call("GET", "/namespaces/sales/views/raced")[1]["metadata"]["version-log"]
        self.assertEqual(len(log), 1 + answers.count(200))
        self.assertEqual(len(self.keys("lake/racedview/")), len(log))

    def test_a_replacement_whose_file_nobody_could_read_is_refused(self):
        def large(n):
            return {**self.version(), "representations": [
                {"type": "sql", "sql": f"select {n} -- " + "x" * 1048000, "dialect": f"d{i}"} for i in range(15)]}
        place = "lake/largeview"
        self.made("large", location=f"s3://warehouse/{place}", **{"view-version": large(0)})
        answers = []
        while not answers or answers[-1][0] == 200:
            before = self.keys(place)
            answers.append(self.replace("large", {"action": "add-view-version", "view-version": large(len(answers) + 1)}))
        self.assertEqual(len(answers), 4)
        self.refused(answers[-1], 400, "IllegalArgumentException")
        self.assertRegex(answers[-1][1]["error"]["message"], "metadata of [0-9]+ bytes, at most 67108864")
        self.assertEqual(self.keys(place), before)
        self.assertEqual(self.call("GET", "/namespaces/sales/views/large")[0], 200)

    def test_names_are_shared_with_tables_both_ways(self):
        self.create("taken")
        self.made("seen")
        answer = self.view("taken")
        self.refused(answer, 409, "AlreadyExistsException")
        self.assertEqual(answer[1]["error"]["message"], "Table with same name already exists: sales.taken")
        self.refused(self.view("seen"), 409, "AlreadyExistsException")
        self.refused(self.create("seen"), 409, "AlreadyExistsException")
        self.refused(self.create("seen", **{"stage-create": True}), 409, "AlreadyExistsException")
        for source, target, kind in (("taken", "seen", "tables"), ("seen", "taken", "views")):
            self.refused(self.call("POST", f"/{kind}/rename", {"source": identifier("sales", source),
                                                               "destination": identifier("sales", target)}),
                         409, "AlreadyExistsException")
        self.refused(self.call("GET", "/namespaces/sales/tables/seen"), 404, "NoSuchTableException")
        self.refused(self.call("GET", "/namespaces/sales/views/taken"), 404, "NoSuchViewException")
        self.assertEqual(self.call("HEAD", "/namespaces/sales/views/taken")[0], 404)
        self.refused(self.call("DELETE", "/namespaces/sales/tables/seen"), 404, "NoSuchTableException")
        self.refused(self.call("DELETE", "/namespaces/sales/views/taken"), 404, "NoSuchViewException")
        self.assertNotIn("seen", [i["name"] for i in self.call("GET", "/namespaces/sales/tables")[1]["identifiers"]])
        self.assertNotIn("taken", [i["name"] for i in self.call("GET", "/namespaces/sales/views")[1]["identifiers"]])

    def test_a_view_lies_in_a_place_of_its_own_where_no_key_reaches(self):
        place = "s3://warehouse/lake/viewplace"
        self.create("host", location="s3://warehouse/lake/viewhost")
        for location, status in (("s3://warehouse/lake/viewhost/in", 403), ("s3://warehouse/other", 403),
                                 ("s3://warehouse/lake/../x", 403), (place, 200)):
            with self.subTest(location):
                self.assertEqual(self.view("placed", location=location)[0], status)
        self.assertEqual(self.keys("lake/viewhost/in"), [])
        for inside in (place, place + "/metadata", "s3://warehouse/lake/viewplace/x/y"):
            self.assertEqual(self.create("squatter", location=inside)[0], 403)
            self.assertEqual(self.create("squatter", location=inside, **{"stage-create": True})[0], 403)
        for update in ({"action": "set-location", "location": "s3://warehouse/lake/viewhost"},
                       {"action": "set-properties", "updates": {"write.metadata.path": "s3://warehouse/lake/viewhost/m"}},
                       {"action": "set-properties", "updates": {"write.metadata.path": "s3://warehouse/other"}}):
            with self.subTest(update):
                self.refused(self.replace("placed", update), 403, "ForbiddenException")
        self.assertEqual(len(self.keys("lake/viewplace/")), 1)
        self.assertEqual(self.call("DELETE", "/namespaces/sales/views/placed")[0], 204)
        self.assertEqual(self.create("heir", location=place)[0], 403)
        self.assertEqual(self.create("placed", location=place)[0], 403)
        self.assertEqual(self.view("placed", location=place)[0], 200)

    def test_what_is_no_view_is_refused_and_nothing_written(self):
        before = self.keys("lake/")
        for more in ({"view-version": None}, {"view-version": {}}, {"schema": None}, {"schema": {"type": "struct"}},
                     {"view-version": {**self.version(), "representations": self.version()["representations"] * 2}},
                     {"view-version": self.version("x" * (1024 * 1024 + 1))}):
            with self.subTest(str(more)[:60]):
                self.refused(self.view("wrong", **more), 400, "IllegalArgumentException")
        self.refused(self.view(".."), 400, "BadRequestException")
        self.refused(self.view("wrong", ns="nowhere"), 404, "NoSuchNamespaceException")
        self.assertEqual(self.keys("lake/"), before)

    def test_each_right_on_views_opens_its_own_door_only(self):
        self.made("guarded")
        path = "/namespaces/sales/views/guarded"
        doors = {"VIEW_LIST": lambda t: self.call("HEAD", path, token=t)[0],
                 "VIEW_READ_PROPERTIES": lambda t: self.call("GET", path, token=t)[0],
                 "VIEW_WRITE_PROPERTIES": lambda t: self.replace("guarded", *self.again("select 3"), token=t)[0],
                 "VIEW_CREATE": lambda t: self.view("guarded", t)[0],
                 "VIEW_DROP": lambda t: self.call("DELETE", path, token=t)[0]}
        implied = {"VIEW_WRITE_PROPERTIES": {"VIEW_LIST", "VIEW_READ_PROPERTIES"}, "VIEW_READ_PROPERTIES": {"VIEW_LIST"}}
        tables = self.someone("tablesonly", {"privileges": ["TABLE_FULL_METADATA", "TABLE_WRITE_DATA"]})
        # Whoever may load a table is told by the grants alone that no view has its name.
        self.assertEqual({name: door(tables) for name, door in doors.items()},
                         {**dict.fromkeys(doors, 403), "VIEW_LIST": 404, "VIEW_READ_PROPERTIES": 404})
        self.assertEqual(self.call("GET", "/namespaces/sales/views", token=tables)[1]["identifiers"], [])
        for right in doors:
            token = self.someone("v" + right.lower().replace("_", "-"), {"privileges": [right], "views": ["guard*"]})
            open_ = {name for name, door in doors.items() if name != "VIEW_DROP" and door(token) != 403}
            self.assertEqual(open_, ({right} | implied.get(right, set())) - {"VIEW_DROP"}, right)
            self.assertEqual(self.view("elsewhere", token)[0], 403)
            self.assertEqual(self.call("GET", "/namespaces/sales/tables", token=token)[1]["identifiers"], [])
        self.assertEqual(doors["VIEW_DROP"](token), 204)

    def test_a_view_is_renamed_with_its_rights_in_mind(self):
        body = self.made("moves")
        move = {"source": identifier("sales", "moves"), "destination": identifier("open", "moved")}
        mover = self.someone("vmover", {"privileges": ["VIEW_DROP"], "namespaces": ["sales"]},
                             {"privileges": ["VIEW_CREATE", "VIEW_READ_PROPERTIES"], "namespaces": ["open"]})
        self.refused(self.call("POST", "/views/rename", move, mover), 403, "ForbiddenException")
        self.assertEqual(self.call("POST", "/views/rename", move)[0], 204)
        self.assertEqual(self.call("GET", "/namespaces/open/views/moved")[1], body)
        self.refused(self.call("POST", "/views/rename", move), 404, "NoSuchViewException")
        self.refused(self.call("DELETE", "/namespaces/open"), 409, "NamespaceNotEmptyException")
        nowhere = {"source": identifier("open", "moved"), "destination": identifier("nowhere", "x")}
        self.refused(self.call("POST", "/views/rename", nowhere), 404, "NoSuchNamespaceException")

    def register(self, name, file, token=None):
        return self.call("POST", "/namespaces/sales/register-view", {"name": name, "metadata-location": file}, token)

    def orphan(self, name):
        """A view that was made and dropped: its metadata and where that lies."""
        body = self.made(name, location=f"s3://warehouse/lake/{name}")
        self.assertEqual(self.call("DELETE", f"/namespaces/sales/views/{name}")[0], 204)
        return body["metadata"], body["metadata-location"]

    def test_a_dropped_view_is_registered_again_as_it_was(self):
        metadata, file = self.orphan("undropped")
        status, body = self.register("undropped", file)
        self.assertEqual(status, 200, body)
        self.assertEqual((body["metadata-location"], body["metadata"]), (file, metadata))
        self.assertEqual(body, self.call("GET", "/namespaces/sales/views/undropped")[1])
        self.assertEqual(self.replace("undropped", *self.again("select 2"))[0], 200)
        record = self.last_record("register-view", table="undropped")
        self.assertEqual(record["details"], {"metadataLocation": file, "overwrite": False})

    def test_a_name_that_is_taken_is_not_registered_and_the_file_stays(self):
        _, file = self.orphan("shadow")
        self.made("vtaken")
        self.create("ttaken")
        self.refused(self.register("vtaken", file), 409, "AlreadyExistsException")
        answer = self.register("ttaken", file)
        self.refused(answer, 409, "AlreadyExistsException")
        self.assertEqual(answer[1]["error"]["message"], "Table with same name already exists: sales.ttaken")
        self.refused(self.call("POST", "/namespaces/nowhere/register-view", {"name": "x", "metadata-location": file}),
                     404, "NoSuchNamespaceException")
        self.assertIn(file[len("s3://warehouse/"):], self.keys("lake/shadow/"))

    def test_a_views_file_in_anothers_place_is_neither_registered_nor_looked_at(self):
        self.create("owner", location="s3://warehouse/lake/vowner")
        self.made("vneighbour", location="s3://warehouse/lake/vneighbour")
        for place in ("vowner", "vneighbour"):
            for file in ("spoilt", "absent"):
                at = f"lake/{place}/metadata/{file}.metadata.json"
                if file == "spoilt":
                    self.rgw.s3.put_object(Bucket="warehouse", Key=at, Body=b"rows of the neighbour")
                self.refused(self.register("vcopy", "s3://warehouse/" + at), 403, "ForbiddenException")
        for status, file in ((403, "s3://warehouse/other/x.metadata.json"), (403, "file:///etc/x.metadata.json"),
                             (400, "s3://warehouse/lake/secret.txt"), (400, "s3://warehouse/lake/../x.metadata.json"),
                             (400, ""), (404, "s3://warehouse/lake/novw/none.metadata.json")):
            with self.subTest(file):
                self.assertEqual(self.register("vcopy", file)[0], status)
        creator = self.someone("vcreator", {"privileges": ["TABLE_CREATE", "VIEW_LIST"], "namespaces": ["sales"]})
        _, file = self.orphan("vright")
        self.refused(self.register("vright", file, creator), 403, "ForbiddenException")

    def test_a_views_metadata_that_points_elsewhere_or_is_not_sound_is_refused(self):
        self.create("vvictim", location="s3://warehouse/lake/vvictim")
        metadata, file = self.orphan("vpointer")
        table = self.create("vnotview", location="s3://warehouse/lake/vnotview")[1]["metadata"]
        key = file[len("s3://warehouse/"):]
        for status, change in ((403, {"location": "s3://warehouse/lake/vvictim"}), (403, {"location": "s3://warehouse/lake"}),
                               (403, {"location": "s3://warehouse/other/v"}), (403, {"location": "s3://warehouse/lake/third"}),
                               (403, {"properties": {"write.metadata.path": "s3://warehouse/lake/vvictim/m"}}),
                               (400, {"view-uuid": "x"}), (400, {"versions": []}), (400, {"current-version-id": 9}),
                               (400, {"schemas": []}), (400, {"format-version": 2}), (400, table)):
            with self.subTest(change):
                self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=json.dumps(
                    change if change is table else {**metadata, **change}).encode())
                self.assertEqual(self.register("vpointer", file)[0], status)
        self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=json.dumps(metadata).encode())
        self.assertEqual(self.register("vpointer", file)[0], 200)

    def test_views_are_listed_in_pages(self):
        for i in range(3):
            self.made(f"page{i}", ns="eu")
        _, body = self.call("GET", "/namespaces/eu/views?pageToken=&pageSize=2")
        self.assertEqual([i["name"] for i in body["identifiers"]], ["page0", "page1"])
        _, rest = self.call("GET", f"/namespaces/eu/views?pageToken={body['next-page-token']}&pageSize=2")
        self.assertEqual([i["name"] for i in rest["identifiers"]], ["page2"])
        self.assertNotIn("next-page-token", rest)
        self.refused(self.call("GET", f"/namespaces/eu/tables?pageToken={body['next-page-token']}"), 400, "BadRequestException")
