"""The tables of the journal, the same in SQLite and PostgreSQL."""

import sqlalchemy as sa

ERASED = b""  # the hashes of a record whose contents were erased
meta = sa.MetaData()
_big = sa.BigInteger().with_variant(sa.Integer, "sqlite")

sources = sa.Table(
    "sources",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),  # member/source
    sa.Column("member", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("cursor", sa.LargeBinary),
    sa.Column("keeps", sa.Boolean, nullable=False, default=False),  # the cursor is for further runs too
    sa.Column("alive", _big, nullable=False, default=0),
    sa.Column("claimed", _big),
    sa.Column("owner", sa.Text),
    sa.Column("lease", sa.Float, nullable=False, default=0.0),
    sa.Column("next", sa.Float, nullable=False, default=0.0),
)
runs = sa.Table(
    "runs",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),  # a RunState
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("complete", sa.Boolean, nullable=False, default=False),
    sa.Column("claimed", _big),
    *(
        sa.Column(name, _big, nullable=False, default=0)
        for name in ("read", "new", "changed", "unchanged", "duplicate_key", "quarantined", "gone", "held")
    ),
    sa.Column("keyless", _big, nullable=False, default=0),
    sa.Column("repeated", _big, nullable=False, default=0),  # rows whose key this run had met before
    sa.Column("why", sa.Text, nullable=False, default=""),
)
records = sa.Table(
    "records",
    meta,
    sa.Column("id", _big, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),  # of what was understood
    sa.Column("raw", sa.LargeBinary, nullable=False),  # of the bytes as read
    sa.Column("run", sa.Integer, nullable=False),  # that saw it last
    sa.Column("first_seen", sa.Float, nullable=False),
    sa.Column("changed", sa.Float, nullable=False),
    sa.Column("expires", sa.Float),
    sa.Column("gone", sa.Float),
    sa.Column("gone_why", sa.Text, nullable=False, default=""),
    sa.Column("seq", _big, nullable=False),
    sa.UniqueConstraint("source", "key"),
    sa.Index("records_by_raw", "source", "raw"),
    sa.Index("records_by_seq", "source", "seq"),
)
contents = sa.Table(
    "contents",
    meta,
    sa.Column("record", sa.ForeignKey("records.id"), primary_key=True, autoincrement=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),  # JSON: the kind's values
    sa.Column("translations", sa.LargeBinary),
)
quarantine = sa.Table(
    "quarantine",
    meta,
    sa.Column("id", _big, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False, index=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("where", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("raw_hash", sa.LargeBinary, nullable=False),
    sa.Index("quarantine_by_raw", "source", "raw_hash"),
)
incidents = sa.Table(
    "incidents",
    meta,
    sa.Column("id", _big, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False, index=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("opened", sa.Float, nullable=False),
    sa.Column("closed", sa.Float),
)
counters = sa.Table(
    "counters",
    meta,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", _big, nullable=False),
)
