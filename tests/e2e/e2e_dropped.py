"""What was dropped without its files: whose place it is until they are forgotten."""
import os
import sqlite3
import time

import e2e_surface
import harness as h

LAKE = "s3://warehouse/lake/"


class Dropped(e2e_surface.Surface):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for ns in ("open", "sales"):
            cls.desk.call("POST", e2e_surface.V1 + "/namespaces", cls.token, {"namespace": [ns]})

    def restart(self):
        self.desk.kill()
        self.desk.start()
        type(self).token = h.wait_for("a token", lambda: self.desk.token(self.client))
        self.wait_for_store()

    def retain(self, seconds):
        """Begun again, the program knows nothing else than that the catalog remembers for so long."""
        self.folder.write("lakehouse.yaml", *[o for o in h.lakehouse(self.endpoint()) if o["kind"] != "PolarisCatalog"],
                          h.catalog(droppedTableRetentionSeconds=seconds))
        self.restart()

    def dropped(self, name, **more):
        """A table with a row in it that was dropped: its metadata file."""
        status, body = self.create(name, location=LAKE + name, **more)
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        key.put_object(Bucket="warehouse", Key=f"lake/{name}/data/f.parquet", Body=b"secret")
        self.assertEqual(self.call("DELETE", f"/namespaces/sales/tables/{name}")[0], 204)
        return body["metadata-location"]

    def make(self, name, location, token=None, ns="open", **more):
        return self.desk.call("POST", f"{e2e_surface.V1}/namespaces/{ns}/tables", token or self.token,
                              {"name": name, "schema": h.SIMPLE_SCHEMA, "location": location, **more},
                              X_Iceberg_Access_Delegation="vended-credentials")

    def register(self, name, file, token=None, ns="open"):
        return self.call("POST", f"/namespaces/{ns}/register", {"name": name, "metadata-location": file}, token)

    def test_who_may_create_elsewhere_does_not_read_what_was_dropped(self):
        file = self.dropped("loot")
        thief = self.someone("thief", {"privileges": ["CATALOG_MANAGE_CONTENT"], "namespaces": ["open"]})
        self.refused(self.register("loot", file, thief), 403, "ForbiddenException")
        for location in (LAKE + "loot", LAKE + "loot/data", LAKE + "loot/metadata/x"):
            for more in ({}, {"stage-create": True}):
                with self.subTest(location, **more):
                    self.refused(self.make("loot", location, thief, **more), 403, "ForbiddenException")
        status, own = self.make("own", LAKE + "thiefs", thief)
        self.assertEqual(status, 200, own)
        for update in ({"action": "set-location", "location": LAKE + "loot"},
                       {"action": "set-properties", "updates": {"write.data.path": LAKE + "loot/data"}}):
            answer = self.call("POST", "/namespaces/open/tables/own", {"requirements": [], "updates": [update]}, thief)
            self.refused(answer, 403, "ForbiddenException")
        view = {"name": "v", "schema": h.SIMPLE_SCHEMA, "properties": {}, "location": LAKE + "loot",
                "view-version": e2e_surface.Views.version()}
        self.refused(self.call("POST", "/namespaces/open/views", view, thief), 403, "ForbiddenException")
        self.assertIn("lake/loot/data/f.parquet", self.keys("lake/loot/"))
        # Not even one who may do everything, by mistake.
        self.refused(self.make("x", LAKE + "loot"), 403, "ForbiddenException")

    def test_what_a_view_moved_away_from_is_guarded_as_if_it_were_dropped(self):
        """Its text lies there still."""
        view = {"name": "moves", "schema": h.SIMPLE_SCHEMA, "properties": {}, "location": LAKE + "viewold",
                "view-version": e2e_surface.Views.version()}
        status, body = self.call("POST", "/namespaces/sales/views", view)
        self.assertEqual(status, 200, body)
        move = {"requirements": [], "updates": [{"action": "set-location", "location": LAKE + "viewnew"}]}
        self.assertEqual(self.call("POST", "/namespaces/sales/views/moves", move)[0], 200)
        heir = self.someone("heir", {"privileges": ["CATALOG_MANAGE_CONTENT"], "namespaces": ["open"]})
        self.refused(self.make("heirs", LAKE + "viewold", heir), 403, "ForbiddenException")
        self.refused(self.call("POST", "/namespaces/open/register-view", {
            "name": "heirsview", "metadata-location": body["metadata-location"]}, heir), 403, "ForbiddenException")
        move["updates"][0]["location"] = LAKE + "viewold"
        self.assertEqual(self.call("POST", "/namespaces/sales/views/moves", move)[0], 200)

    def test_the_same_name_may_be_made_where_it_was(self):
        self.dropped("again")
        status, body = self.make("again", LAKE + "again", ns="sales")
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/again/data/g", Body=b"x"), 200)
        # Its place is its own again, whatever it is called: it may be moved and dropped.
        move = {"source": e2e_surface.identifier("sales", "again"), "destination": e2e_surface.identifier("open", "moved")}
        self.assertEqual(self.call("POST", "/tables/rename", move)[0], 204)
        self.assertEqual(self.make("again", LAKE + "again", ns="sales")[0], 403)
        self.assertEqual(self.call("DELETE", "/namespaces/open/tables/moved")[0], 204)
        self.assertEqual(self.make("again", LAKE + "again", ns="sales")[0], 403)
        self.assertEqual(self.make("moved", LAKE + "again", ns="open")[0], 200)

    def test_the_same_name_may_be_staged_and_committed_where_it_was(self):
        self.dropped("replaced")
        status, staged = self.make("replaced", LAKE + "replaced", ns="sales", **{"stage-create": True})
        self.assertEqual(status, 200, staged)
        m = staged["metadata"]
        answer = self.commit("replaced", {"action": "assign-uuid", "uuid": m["table-uuid"]},
                             {"action": "add-schema", "schema": m["schemas"][0]},
                             {"action": "set-current-schema", "schema-id": -1},
                             {"action": "add-spec", "spec": m["partition-specs"][0]},
                             {"action": "set-default-spec", "spec-id": -1},
                             {"action": "add-sort-order", "sort-order": m["sort-orders"][0]},
                             {"action": "set-default-sort-order", "sort-order-id": -1},
                             {"action": "set-location", "location": m["location"]}, requirements=[{"type": "assert-create"}])
        self.assertEqual(answer[0], 200, answer)

    def test_a_drop_is_undone_by_registering_the_table_under_its_name(self):
        file = self.dropped("undone")
        self.refused(self.register("undone", file, ns="open"), 403, "ForbiddenException")
        status, body = self.register("undone", file, ns="sales")
        self.assertEqual((status, body.get("metadata-location")), (200, file), body)

    def test_the_place_is_guarded_after_a_restart_and_without_its_namespace(self):
        self.call("POST", "/namespaces", {"namespace": ["brief"]})
        self.assertEqual(self.make("t", LAKE + "brief", ns="brief")[0], 200)
        self.assertEqual(self.call("DELETE", "/namespaces/brief/tables/t")[0], 204)
        self.assertEqual(self.call("DELETE", "/namespaces/brief")[0], 204)
        self.restart()
        self.refused(self.make("t", LAKE + "brief"), 403, "ForbiddenException")

    def test_a_place_keeps_its_time_whatever_takes_it_up_and_gives_it_up_again(self):
        def away(name):
            return self.commit(name, {"action": "set-location", "location": LAKE + name + "-away"})[0]

        def renamed(name):
            move = {"source": e2e_surface.identifier("sales", name), "destination": e2e_surface.identifier("open", name)}
            return self.call("POST", "/tables/rename", move)[0], self.call("DELETE", f"/namespaces/open/tables/{name}")[0]

        ways = {"kept-drop": lambda name: self.call("DELETE", f"/namespaces/sales/tables/{name}")[0], "kept-move": away,
                "kept-rename": renamed, "kept-purge": lambda name: self.purged(name)}
        files = {name: self.dropped(name) for name in ways}
        try:
            self.retain(0)
            for name, give_up in ways.items():
                with self.subTest(name):
                    answer = self.make(name, LAKE + name, ns="sales")
                    self.assertEqual(answer[0], 200, answer)
                    give_up(name)
                    self.refused(self.make("thief", LAKE + name), 403, "ForbiddenException")
                    self.refused(self.register("thief", files[name]), 403, "ForbiddenException")
                    with sqlite3.connect(os.path.join(self.base, "catalog.db")) as db:
                        (until_ms,), = db.execute("SELECT max(d.expires_ms) FROM dropped d JOIN folders f ON f.dropped_id = d.id"
                                                  " WHERE f.folder = ?", (LAKE + name + "/",))
                    self.assertGreater(until_ms / 1000 - time.time(), 6 * 86400)
                    self.assertLess(until_ms / 1000 - time.time(), 8 * 86400)
        finally:
            self.retain(604800)

    def purged(self, name):
        self.assertEqual(self.call("DELETE", f"/namespaces/sales/tables/{name}?purgeRequested=true")[0], 204)
        h.wait_for("the purge", lambda: [r for r in self.desk.audit() if r["operation"] == "purge-files"
                                         and r["table"] == name and r["result"] == "done"])

    def test_after_the_time_that_its_catalog_names_the_place_is_free_and_its_files_are_there(self):
        try:
            # As long as it may take from the drop to the refusal.
            self.retain(5)
            self.dropped("passing")
            self.refused(self.make("heir", LAKE + "passing"), 403, "ForbiddenException")
            h.wait_for("the place", lambda: self.make("heir", LAKE + "passing")[0] == 200)
            self.assertIn("lake/passing/data/f.parquet", self.keys("lake/passing/"))
            self.retain(0)
            self.dropped("at-once")
            self.assertEqual(self.make("heir2", LAKE + "at-once")[0], 200)
        finally:
            self.retain(604800)
