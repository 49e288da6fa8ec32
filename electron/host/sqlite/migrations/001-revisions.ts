/** The multi-version table, contents by digest, and what is known of the store itself. */
export const sql = `
CREATE TABLE revision (
  revision INTEGER NOT NULL,
  key TEXT NOT NULL,
  create_revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  value TEXT,
  PRIMARY KEY (key, revision)
) WITHOUT ROWID;
CREATE INDEX revision_by_revision ON revision (revision);
CREATE TABLE blob (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE store_meta (one INTEGER PRIMARY KEY CHECK (one = 1), head INTEGER NOT NULL, compacted INTEGER NOT NULL);
INSERT INTO store_meta VALUES (1, 0, 0);
`;
