"""PostgreSQL: checked SQL over asyncpg, one pool a process, transactions that commit before the answer."""

from hostwright.core.db.pool import Database, PoolExhausted, create_database
from hostwright.core.db.query import LARGEST_ID, REGISTRY, Command, Db, NoRow, Query, Scalar, Tx

__all__ = [
    "LARGEST_ID",
    "REGISTRY",
    "Command",
    "Database",
    "Db",
    "NoRow",
    "PoolExhausted",
    "Query",
    "Scalar",
    "Tx",
    "create_database",
]
