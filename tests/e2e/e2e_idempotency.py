"""Idempotency-Key: a request that comes again is not carried out again, and is answered as it was, to whom it was."""
import http.client
import itertools
import json
import os
import threading
import uuid

import harness as h
from e2e_folder import Desk
from e2e_replicas import Middle, OnPostgres, at_once

NAMESPACES = "/v1/analytics/namespaces"
TABLES = NAMESPACES + "/sales/tables"
VIEWS = NAMESPACES + "/sales/views"
VIEW = {"schema": h.SIMPLE_SCHEMA, "view-version": {
    "version-id": 1, "timestamp-ms": 1, "schema-id": 0, "summary": {}, "default-namespace": ["sales"],
    "representations": [{"type": "sql", "sql": "SELECT 1", "dialect": "spark"}]}, "properties": {}}


def fresh():
    return str(uuid.uuid4())


def table(name, **more):
    return {"name": name, "schema": h.SIMPLE_SCHEMA, **more}


def properties(**updates):
    return {"requirements": [], "updates": [{"action": "set-properties", "updates": updates}]}


def without_keys(body):
    return {k: v for k, v in body.items() if k not in ("config", "storage-credentials")} if isinstance(body, dict) else body


class Keys(Desk):
    @classmethod
    def ask(cls, method, path, body=None, key=None, token=None, desk=None, **headers):
        if key:
            headers["Idempotency_Key"] = key
        return (desk or cls.desk).call(method, path, token or cls.token, body, **headers)

    @classmethod
    def make(cls, name, **more):
        status, body = cls.ask("POST", TABLES, table(name, **more))
        assert status == 200, body
        return body

    @classmethod
    def somebody(cls, name, **role):
        """Another principal, with a token of its own."""
        cls.folder.write(f"{name}.yaml", h.principal(name),
                         h.role(name, principals=[{"kind": "Principal", "name": name}], **role))
        return cls.folder.token(cls.desk, name)

    def twice(self, method, path, body=None, status=200):
        """The same request two times under one key: the first answer, which the second one must equal."""
        key = fresh()
        first, second = self.ask(method, path, body, key), self.ask(method, path, body, key)
        self.assertEqual(first[0], status, first)
        self.assertEqual(second[0], first[0], second)
        self.assertEqual(without_keys(second[1]), without_keys(first[1]))
        return first[1]

    @staticmethod
    def in_force(call, status):
        """The last answer, once those of every loop bear that status."""
        return h.wait_for_loops("it is in force", lambda: (lambda a: a if a[0] == status else None)(call()))[1]

    def location(self, name):
        return self.ask("GET", f"{TABLES}/{name}")[1]["metadata-location"]


class Repetitions(Keys):
    def test_config_says_how_long_a_key_is_known(self):
        self.assertEqual(self.ask("GET", "/v1/config?warehouse=analytics")[1]["idempotency-key-lifetime"], "PT30M")

    def test_every_change_takes_a_key_and_no_key_that_is_none(self):
        self.make("asked")
        self.ask("POST", VIEWS, {"name": "asked_view", **VIEW})
        place = self.location("asked")
        identifier = {"namespace": ["sales"], "name": "asked"}
        changes = {
            "POST " + NAMESPACES: {"namespace": ["keyed"]},
            "DELETE " + NAMESPACES + "/sales": None,
            "POST " + NAMESPACES + "/sales/properties": {"updates": {"k": "v"}},
            "POST " + TABLES: table("keyed"),
            "POST " + TABLES + "/asked": properties(k="v"),
            "DELETE " + TABLES + "/asked": None,
            "POST " + NAMESPACES + "/sales/register": {"name": "keyed", "metadata-location": place},
            "POST /v1/analytics/tables/rename": {"source": identifier, "destination": {**identifier, "name": "keyed"}},
            "POST /v1/analytics/transactions/commit": {"table-changes": [{"identifier": identifier, **properties(k="v")}]},
            "POST " + VIEWS: {"name": "keyed", **VIEW},
            "POST " + VIEWS + "/asked_view": {"requirements": [], "updates": [{"action": "set-properties", "updates": {"k": "v"}}]},
            "DELETE " + VIEWS + "/asked_view": None,
            "POST /v1/analytics/views/rename": {"source": {**identifier, "name": "asked_view"}, "destination": identifier},
            "POST " + NAMESPACES + "/sales/register-view": {"name": "keyed", "metadata-location": place},
        }
        served = {e.replace("{prefix}", "analytics").replace("{namespace}", "sales").replace("{table}", "asked")
                  .replace("{view}", "asked_view") for e in self.ask("GET", "/v1/config?warehouse=analytics")[1]["endpoints"]}
        without = {"POST " + TABLES + "/asked/metrics"}
        self.assertEqual({e for e in served if not e.startswith(("GET", "HEAD"))} - without - set(changes), set())
        good = fresh()
        for change, body in changes.items():
            method, path = change.split(" ")
            for bad in ("7", good[:-1], good + "0", good.replace("-", "_"), "g" + good[1:], "x" * 4000):
                status, answer = self.ask(method, path, body, bad)
                self.assertEqual((status, answer["error"]["type"]), (400, "BadRequestException"), (change, bad))
        self.assertEqual(self.location("asked"), place)

    def test_a_create_is_answered_with_the_same_table_and_keys_of_now(self):
        key = fresh()
        answers = [self.ask("POST", TABLES, table("created"), key, X_Iceberg_Access_Delegation="vended-credentials")
                   for _ in range(3)]
        self.assertEqual([a[0] for a in answers], [200] * 3)
        self.assertEqual(without_keys(answers[1][1]), without_keys(answers[0][1]))
        self.assertTrue(answers[2][1]["storage-credentials"][0]["config"]["s3.secret-access-key"])
        with open(os.path.join(self.base, "catalog.db"), "rb") as f, open(os.path.join(self.base, "catalog.db-wal"), "rb") as w:
            kept = f.read() + w.read()
        for given in answers:
            config = given[1]["storage-credentials"][0]["config"]
            self.assertNotIn(config["s3.secret-access-key"].encode(), kept)
            self.assertNotIn(config["s3.session-token"].encode(), kept)

    def test_a_key_of_any_version_and_in_any_case_is_the_same_key(self):
        key = str(uuid.uuid1())
        first = self.ask("POST", TABLES, table("any_case"), key)
        self.assertEqual(self.ask("POST", TABLES, table("any_case"), key.upper()), first)

    def test_a_staged_create_promises_the_same_table_again(self):
        first = self.twice("POST", TABLES, table("staged", **{"stage-create": True}))
        create = {"requirements": [{"type": "assert-create"}], "updates": [
            {"action": "assign-uuid", "uuid": first["metadata"]["table-uuid"]},
            {"action": "upgrade-format-version", "format-version": 2},
            {"action": "set-location", "location": first["metadata"]["location"]},
            {"action": "add-schema", "schema": h.SIMPLE_SCHEMA}, {"action": "set-current-schema", "schema-id": -1},
            {"action": "add-spec", "spec": {"spec-id": 0, "fields": []}}, {"action": "set-default-spec", "spec-id": -1},
            {"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}},
            {"action": "set-default-sort-order", "sort-order-id": -1}]}
        self.twice("POST", TABLES + "/staged", create)

    def test_a_commit_is_answered_with_its_own_metadata_after_others_have_come(self):
        self.make("busy")
        key, body = fresh(), properties(mine="1")
        first = self.ask("POST", TABLES + "/busy", body, key)
        self.assertEqual(self.ask("POST", TABLES + "/busy", properties(mine="2"))[0], 200)
        second = self.ask("POST", TABLES + "/busy", body, key)
        self.assertEqual(second, first)
        self.assertEqual(self.ask("GET", TABLES + "/busy")[1]["metadata"]["properties"]["mine"], "2")

    def test_where_the_file_that_was_told_is_gone_what_came_later_is_told(self):
        self.make("trimmed")
        key, body = fresh(), properties(mine="1")
        first = self.ask("POST", TABLES + "/trimmed", body, key)[1]
        self.assertEqual(self.ask("POST", TABLES + "/trimmed", properties(later="1"))[0], 200)
        self.rgw.s3.delete_object(Bucket="warehouse", Key=first["metadata-location"][len("s3://warehouse/"):])
        self.desk.stop()
        self.desk.start()
        h.wait_for_loops("it serves", lambda: self.ask("GET", TABLES + "/trimmed")[0] == 200)
        status, second = self.ask("POST", TABLES + "/trimmed", body, key)
        self.assertEqual((status, second["metadata"]["properties"]["mine"]), (200, "1"), second)
        self.assertIn("later", second["metadata"]["properties"])

    def test_what_is_in_force_but_cannot_be_shown_is_never_called_refused(self):
        """Who reads a 4xx deletes the files that it wrote: and here a table has them."""
        self.make("moved")
        key, body = fresh(), properties(mine="1")
        self.assertEqual(self.ask("POST", TABLES + "/moved", body, key)[0], 200)
        rename = {"source": {"namespace": ["sales"], "name": "moved"}, "destination": {"namespace": ["sales"], "name": "moved2"}}
        self.twice("POST", "/v1/analytics/tables/rename", rename, 204)
        status, answer = self.ask("POST", TABLES + "/moved", body, key)
        self.assertEqual((status, answer["error"]["type"]), (500, "CommitStateUnknownException"))
        self.make("moved")
        status, answer = self.ask("POST", TABLES + "/moved", body, key)
        self.assertEqual((status, answer["error"]["type"]), (500, "CommitStateUnknownException"))

    def test_each_other_change_is_answered_as_it_was(self):
        self.make("dropped")
        self.twice("DELETE", TABLES + "/dropped", status=204)
        self.twice("POST", NAMESPACES, {"namespace": ["other"], "properties": {"a": "b"}})
        self.twice("POST", NAMESPACES + "/other/properties", {"updates": {"x": "y"}, "removals": ["a", "none"]})
        self.twice("DELETE", NAMESPACES + "/other", status=204)
        self.twice("POST", VIEWS, {"name": "v", **VIEW})
        self.twice("POST", VIEWS + "/v", {"requirements": [], "updates": [{"action": "set-properties", "updates": {"k": "v"}}]})
        names = {"source": {"namespace": ["sales"], "name": "v"}, "destination": {"namespace": ["sales"], "name": "v2"}}
        self.twice("POST", "/v1/analytics/views/rename", names, 204)
        file = self.ask("GET", VIEWS + "/v2")[1]["metadata-location"]
        self.twice("DELETE", VIEWS + "/v2", status=204)
        self.twice("POST", NAMESPACES + "/sales/register-view", {"name": "v2", "metadata-location": file})
        file = self.make("registered")["metadata-location"]
        self.twice("DELETE", TABLES + "/registered", status=204)
        self.twice("POST", NAMESPACES + "/sales/register", {"name": "registered", "metadata-location": file})
        change = {"table-changes": [{"identifier": {"namespace": ["sales"], "name": "registered"}, **properties(t="1")}]}
        before = self.location("registered")
        self.twice("POST", "/v1/analytics/transactions/commit", change, 204)
        self.assertEqual(self.location("registered").count("/00001-"), before.count("/00000-"))

    def test_a_refusal_is_repeated_though_it_would_not_be_one_now(self):
        key = fresh()
        missing = self.ask("POST", TABLES + "/not_yet", properties(k="v"), key)
        self.assertEqual(missing[0], 404)
        self.make("not_yet")
        self.assertEqual(self.ask("POST", TABLES + "/not_yet", properties(k="v"), key), missing)
        key = fresh()
        there = self.ask("POST", TABLES, table("not_yet"), key)
        self.assertEqual(there[0], 409)
        self.assertEqual(self.ask("DELETE", TABLES + "/not_yet")[0], 204)
        self.assertEqual(self.ask("POST", TABLES, table("not_yet"), key), there)
        self.assertEqual(self.ask("POST", TABLES, table("not_yet"), fresh())[0], 200)

    def test_an_answer_that_changed_nothing_is_repeated_too(self):
        self.make("calm")
        uuid_ = self.ask("GET", TABLES + "/calm")[1]["metadata"]["table-uuid"]
        body = {"requirements": [{"type": "assert-table-uuid", "uuid": uuid_},
                                 {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 2}], "updates": []}
        key = fresh()
        first = self.ask("POST", TABLES + "/calm", body, key)
        self.assertEqual(first[0], 200, first)
        fields = h.SIMPLE_SCHEMA["fields"] + [{"id": 9, "name": "more", "type": "long", "required": False}]
        self.assertEqual(self.ask("POST", TABLES + "/calm", {"requirements": [], "updates": [
            {"action": "add-schema", "schema": {"type": "struct", "fields": fields}}]})[0], 200)
        self.assertEqual(self.ask("POST", TABLES + "/calm", body, key), first)

    def test_the_record_of_a_repetition_says_whose(self):
        key = fresh()
        self.ask("POST", NAMESPACES, {"namespace": ["audited"]}, key)
        self.ask("POST", NAMESPACES, {"namespace": ["audited"]}, key)

        def records():
            found = [r for r in self.desk.audit() if r["operation"] == "create-namespace" and r.get("namespace") == "audited"]
            return found if len(found) == 2 else None
        # Each loop hands in its own: they may come in any order.
        first, second = sorted(h.wait_for("both records", records), key=lambda r: "repeats" in r)
        self.assertNotIn("repeats", first)
        self.assertEqual((second["repeats"], second["status"]), (first["requestId"], 200))

    def test_of_many_at_once_one_is_carried_out_and_all_are_answered_alike(self):
        self.make("crowded")
        for i, (method, path, body) in enumerate((
                ("POST", TABLES, table("crowd")), ("POST", TABLES + "/crowded", properties(k="v")),
                ("POST", NAMESPACES, {"namespace": ["crowd"]}), ("DELETE", TABLES + "/crowd", None),
                ("POST", VIEWS, {"name": "crowd_view", **VIEW}), ("DELETE", NAMESPACES + "/crowd", None))):
            key = fresh()
            answers = at_once(*[lambda: self.ask(method, path, body, key)] * 8)
            self.assertEqual({a[0] for a in answers} - {200, 204}, set(), answers)
            self.assertEqual(len({json.dumps(without_keys(a[1])) for a in answers}), 1, (i, answers))
        self.assertIn("/00001-", self.location("crowded"))
        folder = self.location("crowded")[len("s3://warehouse/"):].rsplit("/", 1)[0]
        files = self.rgw.s3.list_objects_v2(Bucket="warehouse", Prefix=folder)["KeyCount"]
        self.assertEqual(files, 2, "what the others wrote is taken away")

    def test_a_program_that_was_killed_knows_it_when_it_is_back(self):
        self.make("killed")
        key = fresh()
        first = self.ask("POST", TABLES + "/killed", properties(k="v"), key)
        self.desk.kill()
        self.desk.start()
        h.wait_for_loops("it serves", lambda: self.ask("GET", TABLES + "/killed")[0] == 200)
        self.assertEqual(self.ask("POST", TABLES + "/killed", properties(k="v"), key), first)


class Killed(Keys):
    """Four committers that ask until they are answered, and the program killed in their midst."""
    WORKERS, COMMITS = 4, 12

    def commit_until_answered(self, value, answered):
        key = fresh()
        while not self.given_up:
            try:
                status, body = self.ask("POST", TABLES + "/insisted", properties(last=value), key)
            except (OSError, http.client.HTTPException):
                continue
            if status == 200:
                self.assertEqual(body["metadata"]["properties"]["last"], value)
                answered.append(value)
                return
            # Others were first each time: the next try is another request. Just started, it knows no token yet.
            key = fresh() if status == 409 else key
            if status not in (401, 409, 429, 500, 503):
                raise AssertionError((status, body))

    def test_what_is_asked_until_it_is_answered_happens_once(self):
        self.make("insisted")
        self.given_up, answered = False, []

        def work(worker):
            for n in range(self.COMMITS):
                self.commit_until_answered(f"{worker}.{n}", answered)
        threads = [threading.Thread(target=work, args=(i,)) for i in range(self.WORKERS)]
        for t in threads:
            t.start()
        try:
            for kills in range(1, 5):
                h.wait_for("some are answered", lambda k=kills: len(answered) >= 9 * k, 60)
                self.desk.kill()
                self.desk.start()
        finally:
            for t in threads:
                t.join(60)
            self.given_up = True
        self.assertEqual(len(answered), self.WORKERS * self.COMMITS)
        version = int(self.location("insisted").rsplit("/", 1)[1].split("-")[0])
        self.assertEqual(version, self.WORKERS * self.COMMITS)


class Attacks(Keys):
    def test_the_key_of_somebody_else_tells_nothing_and_stops_nothing(self):
        bob, key = self.somebody("bob"), fresh()
        mine = self.ask("POST", TABLES, table("mine"), key)
        self.assertEqual(mine[0], 200)
        self.assertEqual(self.ask("POST", TABLES, table("mine"), key, bob),
                         self.ask("POST", TABLES, table("mine"), fresh(), bob))
        self.assertEqual(self.ask("POST", TABLES, table("mine"), key), mine)
        key = fresh()
        self.assertEqual(self.ask("POST", TABLES, table("mine2"), key)[0], 200)
        self.assertEqual(self.ask("POST", TABLES, table("bobs"), key, bob)[0], 200)

    def test_a_key_is_no_other_requests(self):
        self.make("victim")
        self.make("other")
        key, body = fresh(), properties(k="v")
        first = self.ask("POST", TABLES + "/victim", body, key)
        self.assertEqual(first[0], 200)
        before = self.location("other"), self.location("victim")
        for method, path, other in (("POST", TABLES + "/other", body), ("POST", TABLES + "/victim", properties(k="w")),
                                    ("POST", TABLES + "/victim?x=1", body), ("DELETE", TABLES + "/victim", None),
                                    ("POST", NAMESPACES, {"namespace": ["by_key"]})):
            status, answer = self.ask(method, path, other, key)
            self.assertEqual((status, answer["error"]["type"]), (422, "UnprocessableEntityException"), (method, path))
            self.assertNotIn("s3://", json.dumps(answer))
        self.assertEqual((self.location("other"), self.location("victim")), before)
        self.assertEqual(self.ask("HEAD", NAMESPACES + "/by_key")[0], 404)
        self.assertEqual(self.ask("POST", TABLES + "/victim", body, key), first)

    def test_a_key_is_of_the_role_that_was_asked_for(self):
        self.folder.write("team.yaml", h.manifest("PrincipalRole", "team", {"members": [{"kind": "Principal", "name": "etl"}]}),
                          h.role("team", principals=[{"kind": "PrincipalRole", "name": "team"}]))
        narrow = h.wait_for("a token of the role", lambda: self.desk.token(self.client, "PRINCIPAL_ROLE:team"))
        key = fresh()
        self.in_force(lambda: self.ask("GET", NAMESPACES, token=narrow), 200)
        self.assertEqual(self.ask("POST", TABLES, table("roles"), key)[0], 200)
        self.assertEqual(self.ask("POST", TABLES, table("roles"), key, narrow)[0], 422)

    def test_a_right_that_was_taken_away_shows_nothing_more(self):
        carol, key = self.somebody("carol"), fresh()
        self.assertEqual(self.ask("POST", TABLES, table("carols"), key, carol,
                                  X_Iceberg_Access_Delegation="vended-credentials")[0], 200)
        mine = [{"kind": "Principal", "name": "carol"}]
        self.folder.write("carol.yaml", h.principal("carol"), h.role("carol", ["NAMESPACE_LIST"], mine))
        refused = self.in_force(lambda: self.ask("POST", TABLES, table("carols"), key, carol), 403)
        self.assertEqual(refused["error"]["type"], "ForbiddenException")
        # Who may create only sees what it was shown before, and gets no key to any data.
        self.folder.write("carol.yaml", h.principal("carol"), h.role("carol", ["TABLE_CREATE"], mine))
        self.in_force(lambda: self.ask("POST", TABLES, table("carols"), key, carol), 200)
        answer = self.ask("POST", TABLES, table("carols"), key, carol, X_Iceberg_Access_Delegation="vended-credentials")[1]
        self.assertFalse(answer.get("storage-credentials"), answer)
        self.assertNotIn("s3.secret-access-key", answer["config"])
        self.rgw.s3.delete_object(Bucket="warehouse", Key=answer["metadata-location"][len("s3://warehouse/"):])
        self.assertEqual(self.ask("POST", TABLES + "/carols", properties(secret="s"))[0] // 100, 2)

    def test_what_came_later_is_not_shown_to_who_may_create_only(self):
        dave, key = self.somebody("dave", privileges=["TABLE_CREATE", "NAMESPACE_LIST"]), fresh()
        status, first = self.ask("POST", TABLES, table("daves"), key, dave)
        self.assertEqual(status, 200)
        self.assertEqual(self.ask("POST", TABLES + "/daves", properties(secret="s"))[0], 200)
        self.assertEqual(self.ask("POST", TABLES, table("daves"), key, dave)[1]["metadata"], first["metadata"])
        self.rgw.s3.delete_object(Bucket="warehouse", Key=first["metadata-location"][len("s3://warehouse/"):])
        self.desk.kill()
        self.desk.start()
        h.wait_for_loops("it serves", lambda: self.ask("GET", TABLES + "/daves")[0] == 200)
        status, answer = self.ask("POST", TABLES, table("daves"), key, dave)
        self.assertEqual((status, answer["error"]["type"]), (500, "CommitStateUnknownException"))
        self.assertNotIn("secret", json.dumps(answer))

    def test_401_and_403_use_up_no_key(self):
        erin, key = self.somebody("erin", privileges=["NAMESPACE_LIST"]), fresh()
        self.assertEqual(self.ask("POST", TABLES, table("erins"), key, erin)[0], 403)
        self.assertEqual(self.ask("POST", TABLES, table("erins"), key, "no token")[0], 401)
        self.assertEqual(self.ask("POST", TABLES, table("outside", location="s3://elsewhere/x"), key)[0], 403)
        self.folder.write("erin.yaml", h.principal("erin"), h.role("erin", h.ALL, [{"kind": "Principal", "name": "erin"}]))
        h.wait_for("it may now", lambda: self.ask("POST", TABLES, table("erins"), key, erin)[0] == 200)
        self.assertEqual(self.ask("POST", TABLES, table("inside"), key)[0], 200)

    def test_an_answer_that_is_too_long_to_keep_is_refused_before_anything_is_done(self):
        self.ask("POST", NAMESPACES, {"namespace": ["long"]})
        many = {"updates": {f"{i:03}" + "x" * 200: "v" for i in range(400)}}
        status, answer = self.ask("POST", NAMESPACES + "/long/properties", many, fresh())
        self.assertEqual(status, 400, answer)
        self.assertEqual(self.ask("GET", NAMESPACES + "/long")[1]["properties"], {})
        self.assertEqual(self.ask("POST", NAMESPACES + "/long/properties", many)[0], 200)


class Replicas(OnPostgres, Keys):
    """Two programs on one PostgreSQL."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.beside(cls.postgres["url"])
        cls.count = itertools.count()

    def test_one_answers_what_the_other_one_did(self):
        key = fresh()
        first = self.ask("POST", TABLES, table("there"), key)
        self.assertEqual(self.ask("POST", TABLES, table("there"), key, desk=self.other), first)
        self.assertEqual(self.ask("POST", TABLES, table("else"), key, desk=self.other)[0], 422)

    def test_of_two_at_once_at_both_one_is_carried_out_and_both_are_answered_alike(self):
        for i in range(10):
            for method, path, body in (("POST", TABLES, table(f"both{i}")), ("POST", TABLES + f"/both{i}", properties(k="v")),
                                       ("POST", NAMESPACES, {"namespace": [f"both{i}"]}),
                                       ("DELETE", NAMESPACES + f"/both{i}", None)):
                key = fresh()
                answers = at_once(*[lambda d=d: self.ask(method, path, body, key, desk=d) for d in (self.desk, self.other)])
                self.assertIn(answers[0][0], (200, 204), answers)
                self.assertEqual(without_keys(answers[0][1]), without_keys(answers[1][1]))
                self.assertEqual(answers[0][0], answers[1][0], answers)
            self.assertIn("/00001-", self.location(f"both{i}"))

    def test_the_key_tells_what_became_of_a_write_whose_answer_was_lost(self):
        for reaches in (True, False):
            with self.subTest(reaches=reaches), Middle(self.postgres) as middle:
                name = f"lost{next(self.count)}"
                self.make(name)
                through = self.beside(middle.url)
                try:
                    for method, path, body in (
                            ("POST", "/v1/analytics/tables/rename", {"source": {"namespace": ["sales"], "name": name},
                                                                     "destination": {"namespace": ["sales"], "name": name + "b"}}),
                            ("POST", NAMESPACES, {"namespace": [name]}), ("DELETE", NAMESPACES + "/" + name, None)):
                        key = fresh()
                        middle.break_next(reaches)
                        status = self.ask(method, path, body, key, desk=through)[0]
                        self.assertIn(status, (200, 204) if reaches else (503,), path)
                        again = self.ask(method, path, body, key)
                        self.assertIn(again[0], (200, 204), path)
                finally:
                    through.stop()
