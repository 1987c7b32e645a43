"""What clients ask on their way to a table: 404 where they go on after it, and never a hint at what they may not see."""
import shutil
import tempfile
import unittest

import harness as h

BASE = "/v1/analytics/namespaces/"
METADATA = ("snapshots", "files", "manifests", "history", "entries", "partitions", "refs", "branch_main")


class OnTheWay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-way-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        folder = h.Folder(cls.base)
        folder.write("lakehouse.yaml", h.file_integration(), h.catalog(), h.principal(), h.role(),
                     *cls.of("reader", ["TABLE_READ_DATA"], namespaces=["sales"], tables=["orders"]),
                     *cls.of("viewer", ["VIEW_READ_PROPERTIES"], namespaces=["sales"], views=["shown"]),
                     *cls.of("stranger", ["TABLE_READ_DATA"], namespaces=["sales"], tables=["other"]),
                     *cls.of("maker", ["TABLE_CREATE", "VIEW_CREATE"], namespaces=["sales"]))
        cls.desk = h.Frontdesk(*folder.options(), "--file-storage", cls.base, folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        cls.owner = folder.token(cls.desk)
        cls.tokens = {name: folder.token(cls.desk, name, not_yet=(401, 404)) for name in ("reader", "viewer", "stranger", "maker")}
        cls.client = folder.credentials("reader-credentials")
        h.wait_for("the catalog", lambda: cls.desk.call("POST", "/v1/analytics/namespaces", cls.owner, {"namespace": ["sales"]})[0] in (200, 409))
        for ns, table in (("sales", "orders"), ("sales", "hidden")):
            cls.make(ns, table)

    @staticmethod
    def of(name, privileges, **grant):
        return h.principal(name), h.role(name + "-role", privileges, [{"kind": "Principal", "name": name}], **grant)

    @classmethod
    def make(cls, ns, table):
        status, body = cls.desk.call("POST", f"{BASE}{ns}/tables", cls.owner, {"name": table, "schema": h.SIMPLE_SCHEMA})
        assert status == 200, body

    def ask(self, who, path, method="GET"):
        status, body = self.desk.call(method, BASE + path, self.tokens[who])
        return status, (body or {}).get("error", {}).get("type") if isinstance(body, dict) else None, \
            (body or {}).get("error", {}).get("message") if isinstance(body, dict) else None

    def below(self, who):
        """All that is asked below the table `orders`, and how it is answered."""
        answers = {}
        for name in METADATA:
            answers[name] = self.ask(who, f"sales%1Forders/tables/{name}"), self.ask(who, f"sales%1Forders/tables/{name}", "HEAD"), \
                self.ask(who, f"sales%1Forders/views/{name}"), self.ask(who, f"sales%1Forders%1Fbranch_main/tables/{name}")
        # Whoever holds something in `sales` may hold it below, too: HEAD and lists say what is there.
        answers["the namespace itself"] = (self.ask(who, "sales%1Forders"),)
        return answers

    def test_names_below_a_table_that_one_may_load_are_404_whatever_is_there(self):
        # First, so that nothing is there; then with a namespace and a table of just these names.
        before, strangers = self.below("reader"), self.below("stranger")
        self.desk.call("POST", "/v1/analytics/namespaces", self.owner, {"namespace": ["sales", "orders"]})
        for name in ("files", "snapshots"):
            self.make("sales%1Forders", name)
        self.assertEqual(self.below("reader"), before)
        self.assertEqual(self.below("stranger"), strangers)
        for name, answers in before.items():
            self.assertEqual({a[0] for a in answers}, {404}, (name, answers))
            self.assertIn(answers[0][1], ("NoSuchTableException", "NoSuchNamespaceException"))
            self.assertEqual({a[0] for a in strangers[name]}, {403}, (name, strangers[name]))
        self.assertEqual(before["files"][0][1], "NoSuchTableException")

    def test_pyiceberg_asks_whether_names_are_there_and_is_told(self):
        catalog = self.desk.pyiceberg(self.client, scope="PRINCIPAL_ROLE:ALL")
        self.assertEqual(catalog.load_table("sales.orders").name(), ("sales", "orders"))
        self.assertTrue(catalog.table_exists("sales.orders"))
        self.assertFalse(catalog.table_exists("sales.orders.files"))
        self.assertFalse(catalog.view_exists("sales.orders"))
        self.assertTrue(catalog.namespace_exists("sales"))

    def test_the_other_of_table_and_view_does_not_exist_for_who_may_load_the_one(self):
        self.assertEqual(self.ask("reader", "sales/views/orders")[:2], (404, "NoSuchViewException"))
        self.assertEqual(self.ask("viewer", "sales/tables/shown")[:2], (404, "NoSuchTableException"))
        free = self.ask("viewer", "sales/tables/shown")
        self.make("sales", "shown")
        self.assertEqual(self.ask("viewer", "sales/tables/shown"), free)
        # Of other names nothing is told.
        for who, path in (("reader", "sales/views/hidden"), ("reader", "sales/views/nothing"), ("reader", "sales/tables/hidden"),
                          ("reader", "sales/tables/nothing"), ("viewer", "sales/tables/hidden"), ("stranger", "sales/views/orders")):
            self.assertEqual(self.ask(who, path)[0], 403, (who, path))

    def test_a_namespace_on_the_way_is_there_for_who_holds_something_in_it(self):
        self.assertEqual(self.ask("reader", "sales", "HEAD")[0], 204)
        self.assertEqual(self.ask("reader", "elsewhere", "HEAD")[0], 403)
        self.assertEqual(self.ask("reader", "sales")[0], 403)

    def test_a_free_name_is_told_to_who_may_create_it_and_a_taken_one_is_not_shown(self):
        for method in ("GET", "HEAD"):
            for kind, free in (("tables", "NoSuchTableException"), ("views", "NoSuchViewException")):
                self.assertEqual(self.ask("maker", f"sales/{kind}/nothing", method)[0], 404)
                self.assertEqual(self.ask("maker", f"sales/{kind}/hidden", method)[0], 403)
            self.assertEqual(self.ask("maker", f"sales/{kind}/nothing")[1], free)
            self.assertEqual(self.ask("stranger", f"sales/{kind}/nothing", method)[0], 403)
