"""The REST Compatibility Kit with tables at a real RGW and keys vended, and the catalog's state in SQLite."""
import kit


class AtRgwOnSqlite(kit.OnSqlite, kit.AtRgw):
    pass
