CREATE TABLE workflows (
  name       TEXT PRIMARY KEY,
  status     TEXT NOT NULL,             -- active, paused
  version    INTEGER NOT NULL,          -- the newest
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  deleted_at REAL
) WITHOUT ROWID;

CREATE TABLE versions (
  workflow   TEXT NOT NULL,
  version    INTEGER NOT NULL,
  digest     TEXT NOT NULL,
  source     TEXT NOT NULL,
  filename   TEXT NOT NULL,
  author     TEXT NOT NULL,
  created_at REAL NOT NULL,
  PRIMARY KEY (workflow, version)
) WITHOUT ROWID;

CREATE TABLE runs (
  seq         INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  workflow    TEXT NOT NULL,
  version     INTEGER NOT NULL,
  status      TEXT NOT NULL,
  trigger     TEXT NOT NULL,            -- JSON: type, and who or what
  event       TEXT,                     -- JSON: the event as expressions see it
  inputs      TEXT NOT NULL,            -- JSON
  path        TEXT,                     -- of the event, if it is about a file
  lane        TEXT,                     -- runs of one lane go one after the other
  request_key TEXT,                     -- idempotency key of the request that made it
  created_at  REAL NOT NULL,
  started_at  REAL,
  finished_at REAL,
  wake_at     REAL,                     -- when a parked run goes on by itself
  output      TEXT,                     -- JSON
  error       TEXT                      -- JSON
);
CREATE INDEX runs_by_workflow ON runs (workflow, seq);
CREATE INDEX runs_by_status ON runs (status, seq);
CREATE INDEX runs_by_workflow_status ON runs (workflow, status, seq);
CREATE UNIQUE INDEX runs_by_request ON runs (workflow, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX runs_by_wake ON runs (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX runs_by_lane ON runs (lane, seq)
  WHERE lane IS NOT NULL AND finished_at IS NULL;

CREATE TABLE journal (
  seq  INTEGER PRIMARY KEY,
  run  INTEGER NOT NULL,                -- runs.seq
  kind TEXT NOT NULL,
  data BLOB NOT NULL                    -- JSON
);
CREATE INDEX journal_by_run ON journal (run);

CREATE TABLE totals (                   -- of ended runs, kept with each end
  workflow    TEXT NOT NULL,
  status      TEXT NOT NULL,
  runs        INTEGER NOT NULL,
  duration_ms REAL NOT NULL,
  PRIMARY KEY (workflow, status)
) WITHOUT ROWID;

CREATE TABLE events (
  seq   INTEGER PRIMARY KEY,
  id    TEXT NOT NULL UNIQUE,
  type  TEXT NOT NULL,
  path  TEXT,
  time  REAL NOT NULL,
  data  TEXT NOT NULL,                  -- JSON: the event as expressions see it
  cause TEXT                            -- JSON: the run, the workflows behind it, the depth
);
CREATE INDEX events_by_path ON events (path, seq) WHERE path IS NOT NULL;
CREATE INDEX events_by_type ON events (type, seq);

CREATE TABLE admissions (               -- which runs an event made
  event INTEGER NOT NULL,               -- events.seq
  run   INTEGER NOT NULL,               -- runs.seq
  PRIMARY KEY (event, run)
) WITHOUT ROWID;

CREATE TABLE files (                    -- the ledger: every file as last seen
  path     TEXT PRIMARY KEY,
  inode    INTEGER NOT NULL,
  size     INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE ticks (                    -- every schedule tick that was due, and what came of it
  workflow TEXT NOT NULL,
  trigger  INTEGER NOT NULL,
  due      REAL NOT NULL,
  outcome  TEXT NOT NULL,               -- ran, skipped, merged, missed
  reason   TEXT NOT NULL,
  run      TEXT,
  PRIMARY KEY (workflow, trigger, due)
) WITHOUT ROWID;

CREATE TABLE settings (            -- of the database itself
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
