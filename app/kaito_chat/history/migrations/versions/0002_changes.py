"""Add the time of a conversation's last change, deletion records, and revoked tokens.

The change is backward compatible: replicas of the previous version keep working, because their statements do not use
the new parts, and can restart, because the recorded revision stays the one that they know (`COMPATIBLE` in
`history/tables.py`). Therefore this migration runs at every start, and adds only the parts that are missing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column with its index, and two tables."""
    there = sa.inspect(op.get_bind())
    if "updatedAt" not in {column["name"] for column in there.get_columns("threads")}:
        op.add_column("threads", sa.Column("updatedAt", sa.Text))
        op.execute(
            'UPDATE threads SET "updatedAt" ='
            ' COALESCE((SELECT MAX(s."createdAt") FROM steps s WHERE s."threadId" = threads.id), "createdAt")'
        )
    op.execute(
        "CREATE INDEX IF NOT EXISTS threads_of_user_by_change ON threads"
        """ ("userId", COALESCE("updatedAt", "createdAt", ''), id)"""
    )
    if not there.has_table("deleted_threads"):
        op.create_table(
            "deleted_threads",
            sa.Column("id", sa.Text, primary_key=True),
            sa.Column("deletedAt", sa.Text, nullable=False),
        )
    if not there.has_table("signed_out"):
        op.create_table(
            "signed_out",
            sa.Column("id", sa.Text, primary_key=True),
            sa.Column("expires", sa.Double, nullable=False),
        )


def downgrade() -> None:
    """Drop the column, its index and the two tables."""
    op.drop_table("signed_out")
    op.drop_table("deleted_threads")
    op.drop_index("threads_of_user_by_change", "threads")
    op.drop_column("threads", "updatedAt")
