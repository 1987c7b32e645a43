"""The REST Compatibility Kit with tables in a folder: its own places are "file:/tmp/..."."""
import shutil
import tempfile
import unittest

import harness as h
import kit


class OnFiles(kit.Claims, unittest.TestCase):
    """Tables in a folder: the kit's own places, "file:/tmp/..."."""
    heading = "In a folder"

    @classmethod
    def setUpClass(cls):
        classpath = kit.jars() + "/*"
        base = tempfile.mkdtemp(prefix="fd-kit-")
        cls.addClassCleanup(shutil.rmtree, base, ignore_errors=True)
        folder = h.Folder(base)
        folder.write("lakehouse.yaml", h.manifest("StorageIntegration", "store", {"storageType": "file", "bucket": "tmp"}),
                     h.catalog(defaultBaseLocation="file:" + base), h.principal(), h.role())
        desk = h.Frontdesk(*folder.options(), "--file-storage", "/", folder=base)
        cls.addClassCleanup(desk.kill)
        client = h.wait_for("a client's Secret", lambda: folder.credentials())
        h.wait_for("a token", lambda: desk.token(client))
        cls.outcomes = kit.run(desk, client, classpath, base)
