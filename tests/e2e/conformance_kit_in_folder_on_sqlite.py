"""The REST Compatibility Kit with tables in a folder, and the catalog's state in SQLite."""
import kit


class InFolderOnSqlite(kit.OnSqlite, kit.InFolder):
    pass
