"""The tables that Chainlit 2.12's SQLAlchemy data layer reads and writes.

The columns are text because its statements pass identifiers, times and JSON as strings.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "users",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("identifier", sa.Text, nullable=False, unique=True),
        sa.Column("createdAt", sa.Text),
        sa.Column("metadata", sa.Text, nullable=False, server_default="{}"),
    )
    op.create_table(
        "threads",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("createdAt", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("userId", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.Column("userIdentifier", sa.Text),
        sa.Column("tags", sa.Text),
        sa.Column("metadata", sa.Text),
    )
    op.create_index("threads_of_user", "threads", ["userId", "createdAt"])
    op.create_table(
        "steps",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("threadId", sa.Text, sa.ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
        sa.Column("parentId", sa.Text),
        sa.Column("streaming", sa.Boolean),
        sa.Column("waitForAnswer", sa.Boolean),
        sa.Column("isError", sa.Boolean),
        sa.Column("metadata", sa.Text),
        sa.Column("tags", sa.Text),
        sa.Column("input", sa.Text),
        sa.Column("output", sa.Text),
        sa.Column("createdAt", sa.Text),
        sa.Column("command", sa.Text),
        sa.Column("modes", sa.Text),
        sa.Column("start", sa.Text),
        sa.Column("end", sa.Text),
        sa.Column("generation", sa.Text),
        sa.Column("showInput", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("indent", sa.Integer),
        sa.Column("defaultOpen", sa.Boolean),
        sa.Column("autoCollapse", sa.Boolean),
    )
    op.create_index("steps_of_thread", "steps", ["threadId", "createdAt"])
    op.create_table(
        "elements",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("threadId", sa.Text, sa.ForeignKey("threads.id", ondelete="CASCADE")),
        *(sa.Column(name, sa.Text) for name in ("type", "url", "chainlitKey", "name", "display", "objectKey", "size")),
        *(sa.Column(name, sa.Text) for name in ("language", "forId", "mime", "props")),
        sa.Column("page", sa.Integer),
        sa.Column("autoPlay", sa.Boolean),
        sa.Column("playerConfig", sa.Text),
    )
    op.create_index("elements_of_thread", "elements", ["threadId"])
    op.create_table(
        "feedbacks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("forId", sa.Text, nullable=False),
        sa.Column("threadId", sa.Text),
        sa.Column("value", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text),
    )
    op.create_index("feedbacks_of_step", "feedbacks", ["forId"])


def downgrade() -> None:
    """Drop the tables with all their data."""
    for table in ("feedbacks", "elements", "steps", "threads", "users"):
        op.drop_table(table)
