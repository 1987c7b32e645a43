"""The REST Compatibility Kit with tables at a real RGW and keys vended, and the catalog's state in PostgreSQL."""
import kit


class AtRgwOnPostgres(kit.OnPostgres, kit.AtRgw):
    pass
