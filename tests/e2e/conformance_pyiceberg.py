"""PyIceberg: a day's work with several tables at once, vended keys at a real RGW; and its own tests of catalogs."""
import os
import shutil
import subprocess
import xml.etree.ElementTree

import harness as h
from e2e_folder import Desk
from engines import FOR_ARROW, Engine, installed
from kit import listed

FOUND = 40  # by version 0.12.0


class PyIceberg(Engine):
    script = "engine_pyiceberg.py"
    clean = FOR_ARROW

    def test_two_tables_that_are_open_at_once_do_not_mix(self):
        self.assertEqual(self.gave("two tables in turn"), [[2, 3], [4, 6], [6, 9]])

    def test_it_reads_what_it_wrote(self):
        self.assertEqual(self.gave("delete and overwrite"), [10, 11, 20, 21, 100])
        self.assertEqual(self.gave("upsert"), [1, 1])
        self.assertEqual(self.gave("evolve"), [["id", "title", "extra"], 6])
        self.assertEqual((self.gave("staged"), self.gave("rename")), ([0, 1], [0, 1]))

    def test_a_view_comes_and_goes(self):
        self.assertEqual(self.gave("view"), [True, "SELECT id FROM a", [["py", "v"]]])
        self.assertEqual(self.gave("drop view"), [None, []])

    def test_what_it_purges_is_gone_from_the_bucket(self):
        location, exists = self.gave("purge")
        self.assertIs(exists, False)
        self.wait_until_purged(location)

    def test_it_cannot_write_with_its_key_outside_of_the_table(self):
        written = self.answered(self.victim.rsplit("/", 1)[0] + "/foreign")
        self.assertEqual({status for _, method, status in written if method in ("PUT", "POST")}, {403})


# Its tests take settings from the environment alone, where this one's name cannot be written.
SWITCH = """
def pytest_collection_modifyitems(items):
    for item in items:
        item.module.does_support_slash_in_identifier = lambda catalog: True
"""


class ItsOwnTests(Desk):
    """The tests of catalogs that PyIceberg is released with, pointed at us."""

    @classmethod
    def setUpClass(cls):
        packages = installed()
        super().setUpClass()
        cls.forget_what_is_dropped()
        tests, report = os.path.join(cls.base, "pyiceberg"), os.path.join(cls.base, "report.xml")
        shutil.copytree(os.path.join(packages, "pyiceberg"), tests)
        with open(os.path.join(tests, "conftest.py"), "w") as f:
            f.write(SWITCH)
        done = subprocess.run([os.path.join(packages, "bin", "python3"), "-m", "pytest", "-q", "-p", "no:cacheprovider",
                               "tests/integration/test_catalog.py", "-k", "rest_test_catalog", "--junitxml", report],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, cwd=tests,
                              env={**os.environ, **FOR_ARROW, **cls.settings(), "PYICEBERG_TEST_CATALOG": "desk"})
        assert os.path.exists(report), done.stdout[-3000:]
        cls.outcomes = {}
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            problem = [e for e in case if e.tag in ("failure", "error", "skipped")]
            cls.outcomes[case.get("name").split("[")[0]] = problem[0].get("message") if problem else None

    @classmethod
    def forget_what_is_dropped(cls):
        """One of the tests registers a table that was dropped under another name, which is refused for a week."""
        cls.folder.write("lakehouse.yaml", *h.lakehouse(cls.endpoint())[:3],
                         h.catalog(droppedTableRetentionSeconds=0), h.principal(), h.role())
        cls.desk.stop()
        cls.desk.start()

    @classmethod
    def settings(cls):
        return {"PYICEBERG_CATALOG__DESK__" + name: value for name, value in {
            "TYPE": "rest", "URI": cls.desk.uri, "WAREHOUSE": "analytics", "SCOPE": "PRINCIPAL_ROLE:ALL",
            "CREDENTIAL": cls.client["client-id"] + ":" + cls.client["client-secret"],
            "OAUTH2_SERVER_URI": cls.desk.uri + "/v1/oauth/tokens"}.items()}

    def test_each_of_its_own_tests_of_catalogs_was_found(self):
        self.assertEqual(len(self.outcomes), FOUND)

    def test_each_of_its_own_tests_of_catalogs_passes_but_the_listed_ones(self):
        unexpected = {n: why for n, why in self.outcomes.items() if (why is not None) != (n in listed("PyIceberg's own tests"))}
        self.assertFalse(unexpected)
