"""Example operators and users, for an embedded database alone: a first `select` then has something to show."""

import json

from warehouse.database import Database

# The addresses are of domains that are reserved for examples (RFC 2606).
OPERATORS = (
    ("Example Research Computing", "research", "desk@example.com", 13, ["example.com"], True),
    ("Example Northern Cloud", "cloud", "desk@example.net", 1, ["example.net"], False),
    ("Example Edge Sites", "edge", "desk@example.org", 12, ["example.org"], False),
)
USERS = (
    ("ada@example.net", "Ada Example", "engineer", {"carbon_to_cost_weight": 1.0}),
    ("grace@example.org", "Grace Example", "researcher", {"carbon_to_cost_weight": 0.5}),
)
EXAMPLE = json.dumps({"example": True})


def add_examples(database: Database) -> None:
    """Add them where there is no operator yet; `metadata` says that they are examples."""
    with database.connect() as connection, connection.transaction():
        row = connection.execute("select exists (select from app.operators)").fetchone()
        if row and row[0]:
            return
        for name, kind, contact, region_id, domains, is_default in OPERATORS:
            connection.execute(
                "insert into app.operators (name, operator_type, contact, region_id, email_domains, is_default, metadata) "
                "values (%s, %s, %s, %s, %s, %s, %s)",
                [name, kind, contact, region_id, domains, is_default, EXAMPLE],
            )
        for email, name, role, preferences in USERS:
            connection.execute(
                "insert into app.users (email, name, operator_id, role, preferences, metadata) "
                "values (%s, %s, app.operator_for(%s), %s, %s, %s)",
                [email, name, email, role, json.dumps(preferences), EXAMPLE],
            )
