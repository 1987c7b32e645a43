"""The REST Compatibility Kit of Apache Iceberg against the program. What it may not pass is listed, with the
reason, in docs/conformance.md: the list can neither grow nor go stale unseen."""
import fnmatch
import os
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

import harness as h

SUITE = "org.apache.iceberg.rest.RESTCompatibilityKitSuite"
FOUND = 157  # by version 1.11.0


def jars():
    if not shutil.which("java"):
        raise unittest.SkipTest("no Java: the compatibility kit cannot run")
    built = subprocess.run([os.path.join(h.TOP, "tests", "env", "build-kit")], stdout=subprocess.PIPE, text=True)
    if built.returncode == 3:
        raise unittest.SkipTest("no Maven: the compatibility kit cannot be fetched")
    return built.stdout.strip()


def outcomes(report):
    """Test name -> None when it passed, else what became of it."""
    found = {}
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        name = case.get("classname").rsplit("RESTCompatibilityKit", 1)[1] + "." + re.sub(r"\(.*\)", "", case.get("name"))
        problem = [e for e in case if e.tag in ("failure", "error", "skipped")]
        found[name] = None if not problem else (problem[0].get("message") or problem[0].text or problem[0].tag).strip()
    return found


def listed(heading):
    """The tests, or patterns of them, in the table below a heading of docs/conformance.md."""
    with open(os.path.join(h.TOP, "docs", "conformance.md")) as f:
        part = f.read().split("\n### " + heading + "\n")[1].split("\n#")[0]
    return re.findall(r"^\| `([A-Za-z0-9.*\[\]]+)` \|", part, re.M)


def run(desk, client, classpath, reports, **more):
    settings = {"rck.local": "false", "rck.requires-namespace-create": "true", "rck.supports-names-with-dot": "true",
                "uri": desk.uri, "warehouse": "analytics",
                "credential": client["client-id"] + ":" + client["client-secret"], "scope": "PRINCIPAL_ROLE:ALL",
                "oauth2-server-uri": desk.uri + "/v1/oauth/tokens",
                "header.X-Iceberg-Access-Delegation": "vended-credentials", **more}
    done = subprocess.run(["java", "-Xmx512m", *[f"-D{k}={v}" for k, v in settings.items()], "-cp", classpath,
                           "org.junit.platform.console.ConsoleLauncher", "execute", "--select-class", SUITE,
                           "--details=none", "--reports-dir", reports],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    report = os.path.join(reports, "TEST-junit-platform-suite.xml")
    assert os.path.exists(report), done.stdout[-4000:]
    return outcomes(report)


class Claims:
    """What is claimed of each run; `listed` is the heading of its list."""

    def test_every_test_of_the_kit_was_found(self):
        self.assertEqual(len(self.outcomes), FOUND)

    def excused(self, name):
        return any(name == e or ("*" in e and fnmatch.fnmatchcase(name, e)) for e in self.excuses())

    def excuses(self):
        return listed("Everywhere") + listed(self.heading)

    def test_every_test_passes_but_the_listed_ones(self):
        failed = {name: why for name, why in self.outcomes.items() if why is not None and not self.excused(name)}
        self.assertFalse(failed, "\n".join(f"{name}: {why[:300]}" for name, why in sorted(failed.items())))

    def test_no_test_on_the_list_passes(self):
        stale = [e for e in self.excuses() if "*" not in e and self.outcomes.get(e) is None]
        self.assertEqual(stale, [])
