"""The REST Compatibility Kit of Apache Iceberg against the program. What it may not pass is listed, with the
reason, in docs/conformance.md: the list can neither grow nor go stale unseen."""
import fnmatch
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import harness as h
from e2e_folder import Desk

SUITE = "org.apache.iceberg.rest.RESTCompatibilityKitSuite"
FOUND = 157  # by version 1.11.0
# Tests of the kit that it leaves out without a property to let them in: tests/env/kit/SwitchedOnTests.java does.
SWITCHED_ON = ("createTableInUniqueLocation", "testDropNamespaceWithNestedNamespace", "testListNestedNamespaces",
               "testNamespaceWithSlash", "testTableNameWithSlash")


def jars():
    if not shutil.which("java"):
        raise unittest.SkipTest("no Java: the compatibility kit cannot run")
    built = subprocess.run([os.path.join(h.TOP, "tests", "env", "build-kit")], stdout=subprocess.PIPE, text=True)
    if built.returncode == 3:
        raise unittest.SkipTest("no Maven or no Java compiler: the compatibility kit cannot be had")
    return built.stdout.strip()


def outcomes(report):
    """Test name -> None when it passed, else what became of it."""
    found = {}
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        area = case.get("classname").rsplit(".", 1)[1].replace("RESTCompatibilityKit", "")
        name = area + "." + re.sub(r"\(.*\)", "", case.get("name"))
        problem = [e for e in case if e.tag in ("failure", "error", "skipped")]
        found[name] = None if not problem else (problem[0].get("message") or problem[0].text or problem[0].tag).strip()
    return found


def listed(heading):
    """The tests, or patterns of them, in the table below a heading of docs/conformance.md."""
    with open(os.path.join(h.TOP, "docs", "conformance.md")) as f:
        part = f.read().split("\n### " + heading + "\n")[1].split("\n#")[0]
    return re.findall(r"^\| `([A-Za-z0-9_.*\[\]]+)` \|", part, re.M)


def launched(desk, client, warehouse, chosen, report):
    """What became of the chosen tests, in a warehouse that they find empty."""
    settings = {"rck.local": "false", "rck.requires-namespace-create": "true", "rck.supports-names-with-dot": "true",
                "uri": desk.uri, "warehouse": warehouse,
                "credential": client["client-id"] + ":" + client["client-secret"], "scope": "PRINCIPAL_ROLE:ALL",
                "oauth2-server-uri": desk.uri + "/v1/oauth/tokens",
                "header.X-Iceberg-Access-Delegation": "vended-credentials"}
    reports = tempfile.mkdtemp(prefix="fd-kit-", dir=desk.folder)
    done = subprocess.run(["java", "-Xmx512m", *[f"-D{k}={v}" for k, v in settings.items()],
                           "-cp", jars() + ":" + jars() + "/*", "org.junit.platform.console.ConsoleLauncher", "execute",
                           *chosen, "--details=none", "--reports-dir", reports],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    path = os.path.join(reports, f"TEST-junit-{report}.xml")
    assert os.path.exists(path), done.stdout[-4000:]
    return outcomes(path)


def run(desk, client):
    """(outcomes of the kit, outcomes of what was switched on in it)"""
    methods = ["--select-method=frontdesk.SwitchedOnTests#" + name for name in SWITCHED_ON]
    return (launched(desk, client, "analytics", ["--select-class", SUITE], "platform-suite"),
            launched(desk, client, "switched", methods, "jupiter"))


def switched(**spec):
    """A second catalog: the kit leaves things behind, and starts in no catalog that holds any."""
    return h.catalog("switched", **spec), h.role("switched", catalog_name="switched")


class Claims:
    """What is claimed of each run; `heading` is that of its list."""

    def test_every_test_of_the_kit_was_found(self):
        self.assertEqual(len(self.kit), FOUND)
        self.assertEqual(set(self.switched_on), {"SwitchedOnTests." + name for name in SWITCHED_ON})

    def outcomes(self):
        return {**self.kit, **{n.replace("SwitchedOnTests", "CatalogTests"): why for n, why in self.switched_on.items()}}

    def excused(self, name):
        return any(name == e or ("*" in e and fnmatch.fnmatchcase(name, e)) for e in self.excuses())

    def excuses(self):
        return listed("Everywhere") + listed(self.heading)

    def test_every_test_passes_but_the_listed_ones(self):
        failed = {name: why for name, why in self.outcomes().items() if why is not None and not self.excused(name)}
        self.assertFalse(failed, "\n".join(f"{name}: {why[:300]}" for name, why in sorted(failed.items())))

    def test_no_test_on_the_list_passes(self):
        stale = [e for e in self.excuses() if "*" not in e and self.outcomes().get(e) is None]
        self.assertEqual(stale, [])


class OnSqlite:
    """The catalog's state where it is by default."""

    @classmethod
    def options(cls):
        return ()


class OnPostgres:
    @classmethod
    def options(cls):
        postgres = h.Server("postgres")
        cls.addClassCleanup(postgres.stop)
        return "--store", postgres["url"]


class AtRgw(Claims, Desk):
    """Tables at a real RGW, keys vended."""
    heading = "At an object store"

    @classmethod
    def setUpClass(cls):
        jars()
        super().setUpClass()
        cls.folder.write("switched.yaml", *switched(storageIntegrationRef={"name": "second"}),
                         h.integration(cls.endpoint(), "second", allowedLocations=["s3://warehouse/second/*"]))
        h.wait_for("the second catalog", cls.second_vends, 60)
        cls.kit, cls.switched_on = run(cls.desk, cls.client)


    @classmethod
    def second_vends(cls):
        cls.desk.call("POST", "/v1/switched/namespaces", cls.token, {"namespace": ["sales"], "properties": {}})
        return cls.desk.call("POST", "/v1/switched/namespaces/sales/tables", cls.token,
                             {"name": "first", "schema": h.SIMPLE_SCHEMA},
                             X_Iceberg_Access_Delegation="vended-credentials")[0] == 200


class InFolder(Claims, unittest.TestCase):
    """Tables in a folder: the kit's own places, "file:/tmp/..."."""
    heading = "In a folder"

    @classmethod
    def setUpClass(cls):
        jars()
        base = tempfile.mkdtemp(prefix="fd-kit-")
        cls.addClassCleanup(shutil.rmtree, base, ignore_errors=True)
        folder = h.Folder(base)
        folder.write("lakehouse.yaml", h.manifest("StorageIntegration", "store", {"storageType": "file", "bucket": "tmp"}),
                     h.catalog(defaultBaseLocation=f"file:{base}/kit"), h.principal(), h.role(),
                     *switched(defaultBaseLocation=f"file:{base}/switched"))
        desk = h.Frontdesk(*folder.options(), "--file-storage", "/", *cls.options(), folder=base)
        cls.addClassCleanup(desk.kill)
        folder.token(desk)
        cls.kit, cls.switched_on = run(desk, folder.credentials())
