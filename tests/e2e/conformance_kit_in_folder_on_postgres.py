"""The REST Compatibility Kit with tables in a folder, and the catalog's state in PostgreSQL."""
import kit


class InFolderOnPostgres(kit.OnPostgres, kit.InFolder):
    pass
