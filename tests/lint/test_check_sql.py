"""hack/check-sql finds what is planted, and says nothing of what is there."""
import os
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What somebody may be tempted to write, and the word that must be named.
PLANTED = {
    "LISTEN changes": "LISTEN",
    "NOTIFY changes": "NOTIFY",
    "SELECT pg_advisory_lock(1)": "pg_advisory_lock()",
    "SELECT id FROM tables WHERE name = ? FOR UPDATE SKIP LOCKED": "FOR UPDATE SKIP LOCKED",
    "SELECT id FROM tables WHERE name = ? FOR UPDATE": "FOR UPDATE",
    "LOCK TABLE tables": "LOCK TABLE",
    "BEGIN ISOLATION LEVEL REPEATABLE READ": "REPEATABLE READ",
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE DEFERRABLE": "DEFERRABLE",
    "CREATE TABLE tables (id BIGINT PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)": "DEFERRABLE INITIALLY DEFERRED",
    "CREATE TABLE tables (id BIGINT GENERATED ALWAYS AS IDENTITY)": "GENERATED ALWAYS AS IDENTITY",
    "CREATE TABLE tables (id SERIAL)": "SERIAL",
    "CREATE UNLOGGED TABLE tables (id BIGINT)": "CREATE UNLOGGED TABLE",
    "CREATE INDEX tables_by_name ON tables USING HASH (name)": "USING HASH",
    "SELECT name FROM tables ORDER BY name COLLATE \\\"de_DE\\\"": "\"de_DE\"",
    "SELECT DISTINCT name FROM tables": "DISTINCT",
    "SELECT ctid FROM tables": "ctid",
    "SELECT name FROM tables WHERE name ~ ?": "~",
    "SELECT now()": "now()",
    "SELECT name::text FROM tables": ":",
    "SELECT name FROM pg_stat_activity": "pg_stat_activity",
    "UPDATE tables SET work_mem = ?": "work_mem =",
    "listen changes": "listen",
    "WITH gone AS (DELETE FROM tables RETURNING id) SELECT id FROM gone": "WITH",
}


def check(text):
    """What is said of a file that holds that statement."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "planted.c")
        with open(path, "w") as f:
            f.write(text)
        done = subprocess.run([os.path.join(TOP, "hack", "check-sql"), path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def statement(text):
    return f'const char *planted(void);\nconst char *planted(void)\n{{\n    return "{text}";\n}}\n'


class CheckSql(unittest.TestCase):
    def test_what_not_every_server_takes_is_named(self):
        for text, word in PLANTED.items():
            with self.subTest(text):
                code, said = check(statement(text))
                self.assertEqual(code, 1, said)
                self.assertIn(f": {word}: not on hack/sql-allowed", said)

    def test_a_statement_is_found_in_pieces_and_behind_macros(self):
        code, said = check('#define LOCKED(how) " FOR " how\n'
                           'const char *text = "SELECT id FROM tables"\n    " WHERE name = ?" LOCKED("SHARE");\n')
        self.assertEqual(code, 1, said)
        self.assertIn("FOR SHARE", said)

    def test_what_every_server_takes_is_passed(self):
        code, said = check(statement("UPDATE tables SET name = ? WHERE id IN (SELECT id FROM tables ORDER BY name LIMIT ?)"))
        self.assertEqual((code, said), (0, ""))

    def test_a_file_without_a_statement_is_no_proof(self):
        self.assertNotEqual(check(statement("nothing"))[0], 0)


if __name__ == "__main__":
    unittest.main()
