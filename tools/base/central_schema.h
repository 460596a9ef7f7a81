/* SPDX-License-Identifier: MIT */
/* central_schema.h: the tables of a central database, as `popbox cluster schema`
 * prints them and popbox-central makes them. The SQL is what PostgreSQL 12 and
 * later has; no trigger, no sequence.
 */
#ifndef POPBOX_CENTRAL_SCHEMA_H
#define POPBOX_CENTRAL_SCHEMA_H

enum { CENTRAL_SCHEMA = 1 }; /* which tables these are */

static const char *const central_schema[] = {
	"DO $$ BEGIN\n"
	"  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'popbox_front')\n"
	"  THEN CREATE ROLE popbox_front; END IF;\n"
	"  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'popbox_admin')\n"
	"  THEN CREATE ROLE popbox_admin IN ROLE popbox_front; END IF;\n"
	"END $$",
	"CREATE SCHEMA popbox",
	/* One row; its lock is the queue of those who change. */
	"CREATE TABLE popbox.site (\n"
	"  one boolean PRIMARY KEY DEFAULT true CHECK (one),\n"
	"  id bytea NOT NULL CHECK (octet_length(id) = 16),\n"
	"  format integer NOT NULL,\n"
	"  schema integer NOT NULL DEFAULT 1,\n"
	"  floor bigint NOT NULL DEFAULT 0)",
	/* A chain: one beginning, each change names the one before it. */
	"CREATE TABLE popbox.change (\n"
	"  number bigint PRIMARY KEY,\n"
	"  after bigint UNIQUE REFERENCES popbox.change (number),\n"
	"  token bytea NOT NULL CHECK (octet_length(token) = 16),\n"
	"  host text NOT NULL,\n"
	"  made timestamptz NOT NULL DEFAULT now(),\n"
	"  CHECK (number > after),\n"
	"  CHECK ((number = 0) = (after IS NULL)))",
	"INSERT INTO popbox.change (number, after, token, host)\n"
	"  VALUES (0, NULL, decode(repeat('00', 16), 'hex'), '')",
	/* The store as it is: row NULL is one that was deleted. */
	"CREATE TABLE popbox.row (\n"
	"  tab smallint NOT NULL,\n"
	"  key bytea NOT NULL,\n"
	"  number bigint NOT NULL,\n"
	"  row bytea,\n"
	"  PRIMARY KEY (tab, key)) WITH (fillfactor = 90,\n"
	"  autovacuum_vacuum_scale_factor = 0.02)",
	"CREATE INDEX row_number ON popbox.row (number)",
	/* What hosts say of themselves; nothing depends on it. */
	"CREATE TABLE popbox.host (\n"
	"  name text PRIMARY KEY,\n"
	"  number bigint NOT NULL,\n"
	"  pending bigint NOT NULL,\n"
	"  version text NOT NULL,\n"
	"  seen timestamptz NOT NULL DEFAULT now(),\n"
	"  said text NOT NULL DEFAULT '')",
	"GRANT USAGE ON SCHEMA popbox TO popbox_front",
	"GRANT SELECT ON popbox.site, popbox.change, popbox.row, popbox.host\n"
	"  TO popbox_front",
	"GRANT INSERT, UPDATE ON popbox.host TO popbox_front",
	"GRANT INSERT ON popbox.change TO popbox_admin",
	"GRANT INSERT, UPDATE ON popbox.row TO popbox_admin",
	/* SELECT .. FOR UPDATE asks for it. */
	"GRANT UPDATE ON popbox.site TO popbox_admin",
};

#endif
