"""Whoever lacks the right that a request takes learns nothing from the answer: not whether the thing is there.

Each endpoint that /v1/config lists is asked about what is there and about what is not, under names of the same
length; but for the names that were sent the answers must be the same, head and body. An endpoint that is not in ASKS
fails the test."""
import itertools
import json
import urllib.parse
import uuid

import e2e_catalog
import e2e_surface
import harness as h

V = "/v1/{prefix}"
NS = V + "/namespaces/{namespace}"
# What is there, and what is not: as long as each other, and no part of any other word of an answer.
THERE = {"prefix": "analytics", "ns": "qsalesq", "table": "qordersq", "view": "qseenq", "to_ns": "qothersq",
         "to": "qtakenq", "file": "qfileq"}
NOT = {"prefix": "anulytics", "ns": "xsalesx", "table": "xordersx", "view": "xseenx", "to_ns": "xothersx", "to": "xtakenx",
       "file": "xfilex"}
PLACE = "s3://warehouse/lake/kept"


def version():
    return {"version-id": 1, "timestamp-ms": 1700000000000, "schema-id": 0, "summary": {}, "default-namespace": ["x"],
            "representations": [{"type": "sql", "sql": "select 1", "dialect": "spark"}]}


def two(kind):
    return lambda n: {"source": {"namespace": [n["ns"]], "name": n[kind]},
                      "destination": {"namespace": [n["to_ns"]], "name": n["to"]}}


def registered(n):
    return {"name": n["to"], "metadata-location": f"{PLACE}/{n['file']}.metadata.json"}


CHANGE = {"requirements": [], "updates": [{"action": "set-properties", "updates": {"k": "v"}}]}
# For each endpoint: the names that it says something about beside the catalog, its body, its queries.
ASKS = {
    f"GET {V}/namespaces": ("ns", None, ("parent=%(ns)s", "parent=%(ns)s&pageToken=")),
    f"POST {V}/namespaces": ("ns", lambda n: {"namespace": [n["ns"]]}, ("",)),
    f"GET {NS}": ("ns", None, ("",)),
    f"HEAD {NS}": ("ns", None, ("",)),
    f"DELETE {NS}": ("ns", None, ("",)),
    f"POST {NS}/properties": ("ns", lambda n: {"removals": ["k"], "updates": {}}, ("",)),
    f"GET {NS}/tables": ("ns", None, ("", "pageToken=&pageSize=1")),
    f"POST {NS}/tables": ("ns table", lambda n: {"name": n["table"], "schema": h.SIMPLE_SCHEMA}, ("",)),
    f"GET {NS}/tables/{{table}}": ("ns table", None, ("", "snapshots=refs", "referenced-by=%(ns)s%%1Fqseenq")),
    f"HEAD {NS}/tables/{{table}}": ("ns table", None, ("",)),
    f"POST {NS}/tables/{{table}}": ("ns table", lambda n: CHANGE, ("",)),
    f"DELETE {NS}/tables/{{table}}": ("ns table", None, ("", "purgeRequested=true")),
    f"POST {NS}/register": ("ns to file", registered, ("",)),
    f"POST {V}/tables/rename": ("ns table to_ns to", two("table"), ("",)),
    f"POST {NS}/tables/{{table}}/metrics": ("ns table", lambda n: {"report-type": "scan-report", "metrics": {}}, ("",)),
    f"POST {V}/transactions/commit": ("ns table", lambda n: {"table-changes": [
        {"identifier": {"namespace": [n["ns"]], "name": n["table"]}, **CHANGE}]}, ("",)),
    f"GET {NS}/views": ("ns", None, ("", "pageToken=&pageSize=1")),
    f"POST {NS}/views": ("ns view", lambda n: {"name": n["view"], "schema": h.SIMPLE_SCHEMA, "properties": {},
                                               "view-version": version()}, ("",)),
    f"GET {NS}/views/{{view}}": ("ns view", None, ("", "referenced-by=%(ns)s%%1Fqseenq")),
    f"HEAD {NS}/views/{{view}}": ("ns view", None, ("",)),
    f"POST {NS}/views/{{view}}": ("ns view", lambda n: CHANGE, ("",)),
    f"DELETE {NS}/views/{{view}}": ("ns view", None, ("",)),
    f"POST {NS}/register-view": ("ns to file", registered, ("",)),
    f"POST {V}/views/rename": ("ns view to_ns to", two("view"), ("",)),
    f"GET {NS}/tables/{{table}}/credentials": ("ns table", None, ("", "referenced-by=%(ns)s%%1Fqseenq")),
}
# Served and not listed.
UNLISTED = {f"POST {NS}/tables/{{table}}/credentials": ("ns table", lambda n: {}, ("",)),
            "GET /v1/config": ("", None, ("warehouse=%(prefix)s",))}


class Silence(e2e_surface.Surface):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = {"properties": {}, "schema": h.SIMPLE_SCHEMA}
        for ns in (THERE["ns"], THERE["to_ns"], "elsewhere"):
            cls.must("POST", "/namespaces", {"namespace": [ns], "properties": {"k": "v"}})
        cls.must("POST", f"/namespaces/{THERE['ns']}/tables", {"name": THERE["table"], **made, "location": PLACE})
        for ns in (THERE["ns"], THERE["to_ns"], "elsewhere"):
            cls.must("POST", f"/namespaces/{ns}/tables", {"name": THERE["to"], **made})
            cls.must("POST", f"/namespaces/{ns}/tables", {"name": "mine", **made})
        cls.must("POST", f"/namespaces/{THERE['ns']}/views", {"name": THERE["view"], **made, "view-version": version()})
        cls.rgw.s3.put_object(Bucket="warehouse", Key="lake/kept/qfileq.metadata.json", Body=b"{}")
        path = f"/namespaces/{THERE['ns']}/tables/{THERE['table']}"
        cls.tag = cls.desk.get(cls.desk.uri + e2e_surface.V1 + path, {"Authorization": "Bearer " + cls.token})[2]["ETag"]
        cls.key = str(uuid.uuid4())
        assert cls.desk.call("POST", e2e_surface.V1 + path, cls.token, CHANGE, Idempotency_Key=cls.key)[0] == 200

    @classmethod
    def must(cls, method, path, body):
        status, answer = cls.desk.call(method, e2e_surface.V1 + path, cls.token, body)
        assert status == 200, answer

    def heads(self):
        """What may stand in a request's head: nothing, and what others hold or what is forged."""
        yield {}
        yield {"X-Iceberg-Access-Delegation": "vended-credentials"}
        for tag in ("*", self.tag, 'W/"0.' + "0" * 64 + '"'):
            yield {"If-None-Match": tag, "X-Iceberg-Access-Delegation": "vended-credentials"}
        yield {"Idempotency-Key": self.key}
        yield {"Idempotency-Key": str(uuid.uuid4())}

    def ask(self, endpoint, n, body, query, token, head):
        method, path = endpoint.split(" ")
        path = path.replace("{prefix}", n["prefix"]).replace("{namespace}", n["ns"])
        path = path.replace("{table}", n["table"]).replace("{view}", n["view"])
        data = None if body is None else json.dumps(body(n)).encode()
        status, text, headers = self.desk.get(
            self.desk.uri + path + ("?" + query % n if query else ""),
            {"Authorization": "Bearer " + token, "Content-Type": "application/json", **head}, method, data)
        shown = sorted((k, v) for k, v in headers.items() if k not in ("X-Request-Id", "Date"))
        return status, text.decode(), shown

    @staticmethod
    def without_names(answer, n):
        for kind, name in n.items():
            answer = [answer[0], answer[1].replace(name, f"<{kind}>"),
                      [(k, v.replace(name, f"<{kind}>")) for k, v in answer[2]]]
        return answer

    def answers(self, endpoint, token, kinds, head):
        """Every answer to the endpoint over all that may be there or not, the names taken out."""
        _, body, queries = {**ASKS, **UNLISTED}[endpoint]
        for query in queries:
            found = []
            for there in itertools.product((True, False), repeat=len(kinds)):
                n = {**THERE, **{k: (THERE if t else NOT)[k] for k, t in zip(kinds, there)}}
                answer = self.without_names(self.ask(endpoint, n, body, query, token, head), n)
                if answer not in found:
                    found.append(answer)
            yield query, found

    def served(self):
        status, body = self.desk.call("GET", "/v1/config?warehouse=analytics", self.token)
        self.assertEqual(status, 200)
        self.assertEqual(set(body["endpoints"]), set(ASKS), "an endpoint without its line here")
        return [*body["endpoints"], *UNLISTED]

    def check_silent(self, token, kinds_of, statuses):
        for endpoint in self.served():
            for head in self.heads():
                for query, found in self.answers(endpoint, token, kinds_of(endpoint), head):
                    with self.subTest(endpoint, query=query, head=head):
                        self.assertEqual(len(found), 1, found)
                        self.assertIn(found[0][0], statuses, found)
                        self.assertNotIn("etag", str(found[0][2]).lower())

    @staticmethod
    def named(endpoint):
        return {**ASKS, **UNLISTED}[endpoint][0].split()

    def test_who_holds_nothing_is_told_that_no_catalog_exists(self):
        token = self.client_without_grants("nobody")
        self.check_silent(token, lambda e: ["prefix", *self.named(e)], (404,))

    def client_without_grants(self, name):
        self.folder.write(name + ".yaml", h.principal(name))
        return self.folder.token(self.desk, name, not_yet=(401,))

    def test_who_holds_all_of_another_namespace_is_told_nothing_of_this_one(self):
        token = self.someone("foreigner", {"privileges": h.ALL, "namespaces": ["elsewhere"]})
        # That the catalog is there it may know: /v1/config alone is 200.
        self.check_silent(token, self.named, (403, 200))

    def test_who_holds_all_of_one_table_is_told_nothing_of_its_neighbours(self):
        token = self.someone("owner", {"privileges": h.ALL, "namespaces": [THERE["ns"], THERE["to_ns"]], "tables": ["mine"]})
        # That these namespaces are there it may know (204), so of them only what lies in them is asked about.
        self.check_silent(token, lambda e: [k for k in self.named(e) if k not in ("ns", "to_ns")], (403, 200, 204))

    # A client that may load one of a name asks for the other on its way: 404, whatever is there.
    ON_THE_WAY = {f"{method} {NS}/{kind}" for method in ("GET", "HEAD") for kind in ("tables/{table}", "views/{view}")}

    def test_who_holds_views_is_told_nothing_of_tables_and_the_other_way_round(self):
        for kind, other in (("views", "table"), ("tables", "view")):
            token = self.someone("only-" + kind, {"privileges": h.ALL, "namespaces": [THERE["ns"]], kind: ["*"]})
            for endpoint in self.served():
                if other not in self.named(endpoint):
                    continue
                for head in self.heads():
                    for query, found in self.answers(endpoint, token, [other], head):
                        with self.subTest(endpoint, query=query, head=head):
                            status = 404 if endpoint in self.ON_THE_WAY else 403
                            self.assertEqual((len(found), found[0][0]), (1, status), found)

    def test_lists_show_what_the_caller_holds_something_in_and_nothing_else(self):
        path = f"/namespaces/{THERE['ns']}"
        owner = self.someone("lister", {"privileges": ["TABLE_LIST"], "namespaces": [THERE["ns"]], "tables": ["mine"]})
        names = [i["name"] for i in self.call("GET", path + "/tables", token=owner)[1]["identifiers"]]
        self.assertEqual(names, ["mine"])
        self.assertEqual(self.call("GET", path + "/views", token=owner)[1]["identifiers"], [])
        # Without a line for the catalog itself its namespaces are not listed, as in Polaris.
        self.refused(self.call("GET", "/namespaces", token=owner), 403, "ForbiddenException")
        wide = self.someone("wide", {"privileges": ["NAMESPACE_LIST"]})
        listed = self.call("GET", "/namespaces", token=wide)[1]["namespaces"]
        self.assertLessEqual({THERE["ns"], "elsewhere"}, {n[0] for n in listed})
        self.assertEqual(self.call("GET", path + "/tables", token=wide)[1]["identifiers"], [])

    def test_who_may_list_is_told_what_is_there_and_what_is_not(self):
        token = self.someone("looker", {"privileges": ["NAMESPACE_LIST", "TABLE_LIST", "VIEW_LIST"]})
        ns, gone = f"/namespaces/{THERE['ns']}", f"/namespaces/{NOT['ns']}"
        for path, status in ((ns, 204), (gone, 404), (ns + "/tables/" + THERE["table"], 204), (ns + "/tables/" + NOT["table"], 404),
                             (gone + "/tables/x", 404), (ns + "/views/" + THERE["view"], 204), (ns + "/views/x", 404)):
            self.assertEqual(self.call("HEAD", path, token=token)[0], status, path)
        for path in (gone + "/tables", gone + "/views", "/namespaces?parent=" + NOT["ns"]):
            self.refused(self.call("GET", path, token=token), 404, "NoSuchNamespaceException")
        # To read takes more, whether it is there or not.
        for path in (ns, gone, ns + "/tables/" + THERE["table"], ns + "/tables/" + NOT["table"], ns + "/views/" + THERE["view"],
                     ns + "/views/x", ns + "/tables/" + THERE["table"] + "/credentials"):
            self.refused(self.call("GET", path, token=token), 403, "ForbiddenException")


class Told(e2e_surface.Surface):
    """The same requests by one who holds every right, so that the silence above is one."""

    MISSING = {"table": "NoSuchTableException", "view": "NoSuchViewException", "ns": "NoSuchNamespaceException",
               "to_ns": "NoSuchNamespaceException", "file": "NotFoundException"}

    def test_who_holds_the_rights_is_told_by_each_endpoint_what_is_missing(self):
        said = {}
        for i, (endpoint, (kinds, body, queries)) in enumerate({**ASKS, **UNLISTED}.items()):
            for absent in kinds.split():
                n = {"prefix": "analytics", "ns": f"n{i}{absent}", "table": "t", "view": "v",
                     "to_ns": f"m{i}{absent}", "to": "w", "file": "gone"}
                for name in ("ns", "to_ns"):
                    if name != absent:
                        self.namespace(n[name])
                self.furnish(n, absent)
                method, path = endpoint.split(" ")
                for name, value in (("namespace", n["ns"]), *n.items()):
                    path = path.replace("{%s}" % name, value)
                query = urllib.parse.quote(queries[0] % n, "=&")
                status, answer = self.desk.call(method, path + ("?" + query if query else ""), self.token, body and body(n))
                said.setdefault(absent, {})[endpoint] = (status, answer["error"]["type"] if status >= 400 and answer else None)
        for absent, endpoints in said.items():
            for endpoint, (status, kind) in endpoints.items():
                with self.subTest(endpoint, absent=absent):
                    self.assertIn((status, kind), self.expected(endpoint, absent))

    def furnish(self, n, absent):
        made = {"properties": {}, "schema": h.SIMPLE_SCHEMA}
        if absent != "ns":
            if absent != "table":
                self.call("POST", f"/namespaces/{n['ns']}/tables", {"name": n["table"], **made})
            if absent != "view":
                self.call("POST", f"/namespaces/{n['ns']}/views", {"name": n["view"], **made, "view-version": version()})

    def expected(self, endpoint, absent):
        method = endpoint.split(" ")[0]
        creates = (endpoint == f"POST {V}/namespaces" or (endpoint in (f"POST {NS}/tables", f"POST {NS}/views") and absent != "ns"))
        if creates or absent == "to":
            return [(200, None), (204, None), (404, "NotFoundException")]
        if method == "HEAD":
            return [(404, None)]
        # A thing of a namespace that is not there is not there either.
        thing = "view" if "/views/" in endpoint else "table"
        kinds = {self.MISSING[absent]} | ({self.MISSING[thing]} if absent == "ns" else set())
        return [(404, kind) for kind in kinds]
