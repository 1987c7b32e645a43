"""The work of hack/mutate: mutants of C files, each built and tried in a copy of the tree."""
import argparse
import concurrent.futures
import contextlib
import glob
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LISTED = os.path.join(TOP, "tests", "mutants")
TIMEOUT = 120  # seconds for one test program: a mutant may loop for ever
DECIDE = ["src/policy/*.c", "src/sign/*.c", "src/provider/session.c", "src/provider/role.c", "src/provider/policy_doc.c",
          "src/provider/bucket_policy.c", "src/api/location.c", "src/catalog/table_steps.c", "src/catalog/commit_steps.c",
          "src/catalog/register_steps.c", "src/catalog/rename.c", "src/catalog/etag.c"]

# clang-format puts blanks around each binary operator, so that `*p`, `&x` and `-1` are told from them.
OPERATORS = {" == ": [" != "], " != ": [" == "], " < ": [" <= ", " >= "], " > ": [" >= ", " <= "], " <= ": [" < ", " > "],
             " >= ": [" > ", " < "], " && ": [" || "], " || ": [" && "], " + ": [" - "], " - ": [" + "], " & ": [" | "],
             " | ": [" & "], " += ": [" -= "], " |= ": [" &= "], " &= ": [" |= "]}
TOKEN = re.compile(r" (?:==|!=|<=|>=|<|>|&&|\|\||\+=|\|=|&=|\+|-|&|\|) |!(?=[\w(])|\btrue\b|\bfalse\b|\b\d+\b(?![.\w])"
                   r"|\b(?:if|while) \((?=\w)")
# Sizes of buffers and what is said in error messages decide nothing.
PASSED_OVER = re.compile(r"^\s*(#|static_assert|enum \{)|buf_new\(|\[\d+\]|arena_printf|SV_ARG|\.n_|sizeof")


def blank_out(text):
    """The same text with comments, strings and characters as blanks, so that places stay."""
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  lambda m: re.sub(r"[^\n]", "_" if m[0][0] != "/" else " ", m[0]), text, flags=re.S)


def closing(code, at):
    """Where the parenthesis that opens at `at` is closed."""
    depth = 0
    for i in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    return len(code) - 1


def replacements(code, match):
    """(begin, end, new text) of each mutant at that token."""
    word, begin, end = match[0], match.start(), match.end()
    if word in OPERATORS:
        return [(begin, end, new) for new in OPERATORS[word]]
    if word == "!":
        return [(begin, end, "")]
    if word in ("true", "false"):
        return [(begin, end, "false" if word == "true" else "true")]
    if word.isdigit():
        return [(begin, end, str(int(word) + 1))] + ([(begin, end, "0")] if word == "1" else [])
    close = closing(code, end - 1)
    return [(begin, close + 1, f"{word}!({code[end:close]}))")]


class Mutant:
    def __init__(self, file, text, begin, end, new):
        self.file, self.text = file, text[:begin] + new + text[end:]
        self.line = text.count("\n", 0, begin) + 1
        self.before = text.split("\n")[self.line - 1].strip()
        self.after = self.text.split("\n")[self.line - 1].strip()

    def key(self):
        return f"{self.file} | {self.before} | {self.after}"


def mutants(file):
    with open(os.path.join(TOP, file)) as f:
        text = f.read()
    code, lines = blank_out(text), text.split("\n")
    for match in TOKEN.finditer(code):
        if PASSED_OVER.search(lines[code.count("\n", 0, match.start())]):
            continue
        for begin, end, new in replacements(code, match):
            # A condition is written anew from the text itself, not from what is blanked out.
            if match[0].startswith(("if", "while")):
                new = f"{match[0]}!({text[match.end():end - 1]}))"
            yield Mutant(file, text, begin, end, new)


class Tree:
    """A copy of what is under version control, with a build of its own, sanitized as in hack/test."""

    def __init__(self, folder):
        self.folder = folder
        files = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, check=True, stdout=subprocess.PIPE, text=True).stdout
        for file in files.rstrip("\0").split("\0"):
            os.makedirs(os.path.join(folder, os.path.dirname(file)), exist_ok=True)
            shutil.copy(os.path.join(TOP, file), os.path.join(folder, file))
        self.build = os.path.join(folder, "build", "mutate")
        subprocess.run(["cmake", "-S", folder, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                        "-DCMAKE_C_FLAGS_DEBUG=-O1", "-DFRONTDESK_SANITIZE=address,undefined"], check=True, stdout=subprocess.DEVNULL)
        self.seconds = {}

    def make(self, *targets):
        return subprocess.run(["ninja", "-C", self.build, *targets], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def tests(self, layer):
        """The test programs of a layer, the fastest first."""
        stems = [os.path.basename(f)[5:-2] for f in glob.glob(os.path.join(self.folder, "tests/unit", layer, "test_*.c"))]
        names = [f"test_{layer}_{s}" for s in stems]
        return sorted(names, key=lambda n: self.seconds.get(n, 0))

    def passes(self, test):
        began = time.monotonic()
        try:
            done = subprocess.run([os.path.join(self.build, "tests", test)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=TIMEOUT, cwd=self.build)
        except subprocess.TimeoutExpired:
            return False
        self.seconds.setdefault(test, time.monotonic() - began)
        return done.returncode in (0, 77)  # 77: skipped

    @contextlib.contextmanager
    def changed(self, mutant):
        """The tree with the mutant in it."""
        path = os.path.join(self.folder, mutant.file)
        with open(path) as f:
            original = f.read()
        try:
            with open(path, "w") as f:
                f.write(mutant.text)
            yield
        finally:
            with open(path, "w") as f:
                f.write(original)

    def try_out(self, mutant, layer):
        with self.changed(mutant):
            if self.make(*self.tests(layer)).returncode:
                return "does not compile"
            return "survives" if all(self.passes(t) for t in self.tests(layer)) else "is killed"

    def refusals(self, mutant):
        """Whether the end-to-end tests of refusals pass with the mutant."""
        with self.changed(mutant):
            self.make("frontdesk")
            run = [sys.executable, os.path.join(self.folder, "tests", "run.py"), "--build", self.build, "--tsan-build", self.build,
                   "-L", "e2e", "-R", "e2e.(refusals|rights|cve)"]
            return subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def listed():
    """Survivors with their reasons: "FILE | line | line as changed | reason"."""
    if not os.path.exists(LISTED):
        return {}
    with open(LISTED) as f:
        lines = [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]
    return {line.rsplit(" | ", 1)[0]: line.rsplit(" | ", 1)[1] for line in lines}


def prepare(trees, layers):
    """Builds the tests of those layers once in each tree; they must pass without a mutant."""
    for tree in trees:
        for layer in layers:
            done = tree.make(*tree.tests(layer))
            failed = done.returncode and done.stdout.decode()[-2000:] or [t for t in tree.tests(layer) if not tree.passes(t)]
            if failed:
                raise SystemExit(f"hack/mutate: without a mutant: {failed}")


def run(todo, trees):
    """(mutant, outcome) of each, as they come; a line of progress for each fiftieth."""
    free, began = queue.Queue(), time.monotonic()
    for tree in trees:
        free.put(tree)

    def one(mutant):
        tree = free.get()
        try:
            return mutant, tree.try_out(mutant, mutant.file.split("/")[1])
        finally:
            free.put(tree)
    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        for n, done in enumerate(pool.map(one, todo), 1):
            if n % 50 == 0 or n == len(todo):
                print(f"  {n} of {len(todo)} mutants, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            yield done


def report(outcomes, known, whole, trees, e2e):
    """Prints what survives and what is listed wrongly; how many faults."""
    counts, faults, seen = {}, 0, set()
    for mutant, outcome in outcomes:
        counts[outcome] = counts.get(outcome, 0) + 1
        seen.add((mutant.key(), outcome))
        if outcome == "survives" and mutant.key() not in known:
            later = "" if not e2e else " (end to end too)" if trees[0].refusals(mutant) else " (killed end to end)"
            print(f"{mutant.file}:{mutant.line}: survives{later}\n    {mutant.before}\n    {mutant.after}", flush=True)
            faults += 1
    for key in known if whole else ():
        if (key, "survives") not in seen:
            print(f"tests/mutants: is killed, or is not in the code: {key}")
            faults += 1
    print(", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())) + f"; {faults} to mend")
    return faults


def main():
    parser = argparse.ArgumentParser(prog="hack/mutate")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--e2e", action="store_true")
    arguments = parser.parse_args()
    everything = sorted(os.path.relpath(f, TOP) for p in DECIDE for f in glob.glob(os.path.join(TOP, p)))
    files = arguments.files or everything
    dice, todo = random.Random(arguments.seed), []
    for file in files:
        found = list(mutants(file))
        todo += found if not arguments.sample else dice.sample(found, min(arguments.sample, len(found)))
    known = {k: v for k, v in listed().items() if k.split(" | ")[0] in files}
    with tempfile.TemporaryDirectory(prefix="frontdesk-mutate-") as base:
        trees = [Tree(os.path.join(base, str(i))) for i in range(arguments.jobs) if not os.makedirs(os.path.join(base, str(i)))]
        prepare(trees, sorted({f.split("/")[1] for f in files}))
        return 1 if report(run(todo, trees), known, not arguments.sample, trees, arguments.e2e) else 0


if __name__ == "__main__":
    sys.exit(main())
