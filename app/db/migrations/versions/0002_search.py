"""The search index of the catalogue: each database's own full text and trigrams."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Words come ready cut, and the tokenizer only has to keep them: `ascii` takes every sign beyond ASCII for a
# letter.
SQLITE = (
    """
    CREATE TABLE package_search_documents (
        id INTEGER PRIMARY KEY,
        package_id CHAR(32) NOT NULL UNIQUE REFERENCES packages (id),
        title TEXT NOT NULL
    )
    """,
    "CREATE INDEX ix_package_search_documents_title ON package_search_documents (title)",
    """
    CREATE VIRTUAL TABLE package_search USING fts5 (
        name, labels, description, readme, tokenize = 'ascii', prefix = '2 3 4', detail = 'column'
    )
    """,
    "CREATE TABLE package_search_words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE package_search_trigrams USING fts5 (word, tokenize = 'trigram')",
    # As pg_trgm does it: spaces around a word give its ends trigrams of their own.
    """
    CREATE TRIGGER package_search_words_added AFTER INSERT ON package_search_words BEGIN
        INSERT INTO package_search_trigrams (rowid, word) VALUES (new.id, '  ' || new.word || ' ');
    END
    """,
)

# One vector a field rather than one with weights: an index does not know weights, so that each
# weighted match would unpack the whole vector again.
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
    CREATE TABLE package_search (
        package_id UUID PRIMARY KEY REFERENCES packages (id),
        title TEXT NOT NULL,
        name TSVECTOR NOT NULL,
        labels TSVECTOR NOT NULL,
        description TSVECTOR NOT NULL,
        readme TSVECTOR NOT NULL
    )
    """,
    "CREATE INDEX ix_package_search_title ON package_search (title)",
    # Without a list of pending entries, which every search would read, and for which the planner shuns the index.
    """
    CREATE INDEX ix_package_search_words ON package_search USING GIN (name, labels, description, readme)
    WITH (fastupdate = off)
    """,
    # A planner that looks for one row reads the table and hopes: for a rare word it unpacks every vector.
    """
    CREATE FUNCTION package_search_knows(asked TSQUERY) RETURNS BOOLEAN LANGUAGE sql STABLE
    SET enable_seqscan = off AS $$
        SELECT EXISTS (
            SELECT 1 FROM package_search
            WHERE name @@ asked OR labels @@ asked OR description @@ asked OR readme @@ asked
        )
    $$
    """,
    'CREATE TABLE package_search_words (word TEXT COLLATE "C" PRIMARY KEY)',
    # GiST, because only it answers "the nearest words" without a threshold.
    "CREATE INDEX ix_package_search_words_trigrams ON package_search_words USING GIST (word gist_trgm_ops)",
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """The extension stays: others may use it."""
    tables = ["package_search", "package_search_words"]
    if op.get_bind().dialect.name == "sqlite":
        tables += ["package_search_trigrams", "package_search_documents"]
    else:
        op.execute("DROP FUNCTION package_search_knows")
    for table in tables:
        op.execute(f"DROP TABLE {table}")
