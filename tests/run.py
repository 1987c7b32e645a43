"""Runs the tests of a build (ctest) and the end-to-end tests, and sums them up. Called by hack/test."""
import argparse
import contextlib
import importlib
import json
import os
import re
import subprocess
import sys
import time
import traceback
import unittest
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "e2e"), os.path.join(HERE, "env")]


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []

    def add(self, name, outcome, seconds, detail=""):
        getattr(self, outcome).append(name)
        word = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}[outcome]
        print(f"{word} {name} ({seconds:.1f} s)", flush=True)
        if detail:
            print("     " + detail.strip().replace("\n", "\n     "), flush=True)


@contextlib.contextmanager
def database(names):
    """A PostgreSQL for the tests that ask for one, unless $FRONTDESK_POSTGRES is the URL of one; without it
    they are skipped."""
    if "FRONTDESK_POSTGRES" in os.environ or not any(".postgres" in n for n in names):
        yield dict(os.environ)
        return
    server = subprocess.Popen([os.path.join(HERE, "env", "postgres")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    line = server.stdout.readline()
    try:
        yield {**os.environ, "FRONTDESK_POSTGRES": json.loads(line)["url"]} if line else dict(os.environ)
    finally:
        server.stdin.close()
        server.wait()


def ctest(build, prefix, arguments, tally):
    """The unit, fuzz and lint tests that CMake registered; `prefix` is put before their names."""
    command = ["ctest", "--test-dir", build]
    names = subprocess.run(command + ["-N"], stdout=subprocess.PIPE, text=True, check=True).stdout
    wanted = [n for n in re.findall(r"Test +#\d+: (\S+)", names) if selected(prefix + n, label_of(prefix + n), arguments)]
    if prefix:
        wanted = [n for n in wanted if n.startswith("unit.")]
    if arguments.list or not wanted:
        print("".join(prefix + n + "\n" for n in wanted), end="")
        return
    report = os.path.join(build, "report.xml")
    pattern = "^(" + "|".join(re.escape(n) for n in wanted) + ")$"
    with database(wanted) as environment:
        subprocess.run(command + ["-j2", "-R", pattern, "--output-junit", report, "-Q"], check=False, env=environment)
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        outcome = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
        text = (case.findtext("system-out") or "")[-6000:] if outcome == "failed" else ""
        tally.add(prefix + case.get("name"), outcome, float(case.get("time") or 0), text)


def label_of(name):
    return name.split(".")[0]


def selected(name, label, arguments):
    return (not arguments.regex or re.search(arguments.regex, name)) and \
        (not arguments.label or arguments.label == label)


def cases(module):
    for item in list(vars(module).values()):
        if isinstance(item, type) and issubclass(item, unittest.TestCase) and item.__module__ == module.__name__:
            claims = unittest.defaultTestLoader.getTestCaseNames(item)
            # In the order of the file: what comes first explains what follows.
            yield item, sorted(claims, key=lambda c, i=item: getattr(i, c).__code__.co_firstlineno)


def run_class(item, names, tally):
    try:
        item.setUpClass()
    except unittest.SkipTest as skip:
        for name, _ in names:
            tally.add(name, "skipped", 0, str(skip))
        return
    except BaseException:
        for name, _ in names:
            tally.add(name, "failed", 0, traceback.format_exc(limit=-6))
        item.doClassCleanups()
        return
    for name, claim in names:
        began, result = time.monotonic(), unittest.TestResult()
        item(claim).run(result)
        took = time.monotonic() - began
        problems = result.failures + result.errors
        if result.skipped:
            tally.add(name, "skipped", took, result.skipped[0][1])
        else:
            tally.add(name, "failed" if problems else "passed", took, "\n".join(p[1] for p in problems)[-6000:])
    item.tearDownClass()
    item.doClassCleanups()


def end_to_end(label, arguments, tally):
    """The classes of tests/e2e/LABEL_x.py, as LABEL.x.claim."""
    files = sorted(f[:-3] for f in os.listdir(os.path.join(HERE, "e2e")) if f.startswith(label + "_") and f.endswith(".py"))
    for file in files:
        if arguments.list or arguments.label in (None, label):
            area = label + "." + file[len(label) + 1:]
            try:
                module = importlib.import_module(file)
            except ImportError as e:
                tally.add(area, "skipped", 0, f"a Python client is missing: {e}")
                continue
            for item, claims in cases(module):
                names = [(f"{area}.{c[5:]}", c) for c in claims]
                names = [n for n in names if selected(n[0], label, arguments)]
                if arguments.list:
                    print("".join(n[0] + "\n" for n in names), end="")
                elif names:
                    run_class(item, names, tally)


def main():
    parser = argparse.ArgumentParser(prog="hack/test")
    parser.add_argument("--build", required=True)
    parser.add_argument("--tsan-build", required=True)
    parser.add_argument("-R", dest="regex")
    parser.add_argument("-L", dest="label")
    parser.add_argument("-N", dest="list", action="store_true")
    parser.add_argument("--no-skip", action="store_true")
    arguments = parser.parse_args()
    os.environ["FRONTDESK"] = os.path.join(arguments.build, "frontdesk")
    os.environ["FRONTDESK_TSAN"] = os.path.join(arguments.tsan_build, "frontdesk")
    tally, began = Tally(), time.monotonic()
    ctest(arguments.build, "", arguments, tally)
    ctest(arguments.tsan_build, "tsan.", arguments, tally)
    end_to_end("e2e", arguments, tally)
    end_to_end("conformance", arguments, tally)
    if arguments.list:
        return 0
    for name in tally.failed:
        print(f"failed: {name}")
    for name in tally.skipped:
        print(f"skipped: {name}")
    print(f"in {time.monotonic() - began:.0f} s")
    print(f"{len(tally.passed)} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    none = not tally.passed and not tally.failed
    return 1 if tally.failed or none or (arguments.no_skip and tally.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
