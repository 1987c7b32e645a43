"""The REST Compatibility Kit with tables at a real RGW and keys vended."""
import tempfile

import kit
from e2e_folder import Desk


class OnRgw(kit.Claims, Desk):
    heading = "At an object store"

    @classmethod
    def setUpClass(cls):
        classpath = kit.jars() + "/*"
        super().setUpClass()
        cls.outcomes = kit.run(cls.desk, cls.client, classpath, tempfile.mkdtemp(prefix="fd-kit-", dir=cls.base))
