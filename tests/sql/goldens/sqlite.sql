-- What this destination runs: see tests/sql/golden.c.

-- create 'every type'
CREATE TABLE IF NOT EXISTS "_weir_columns" (table_name TEXT, column_name TEXT, type TEXT, precision INTEGER, scale INTEGER, string_byte_length INTEGER, PRIMARY KEY (table_name, column_name)) WITHOUT ROWID;
DELETE FROM "_weir_columns" WHERE table_name = 'golden.every type';
INSERT INTO "_weir_columns" VALUES ('golden.every type', 'id', 'LONG', 0, 0, 0), ('golden.every type', 'a boolean', 'BOOLEAN', 0, 0, 0), ('golden.every type', 'short', 'SHORT', 0, 0, 0), ('golden.every type', 'int', 'INT', 0, 0, 0), ('golden.every type', 'decimal', 'DECIMAL', 10, 2, 0), ('golden.every type', 'wide', 'DECIMAL', 38, 37, 0), ('golden.every type', 'float', 'FLOAT', 0, 0, 0), ('golden.every type', 'double', 'DOUBLE', 0, 0, 0), ('golden.every type', 'date', 'NAIVE_DATE', 0, 0, 0), ('golden.every type', 'time', 'NAIVE_TIME', 0, 0, 0), ('golden.every type', 'naive', 'NAIVE_DATETIME', 0, 0, 0), ('golden.every type', 'utc', 'UTC_DATETIME', 0, 0, 0), ('golden.every type', 'binary', 'BINARY', 0, 0, 0), ('golden.every type', 'xml', 'XML', 0, 0, 0), ('golden.every type', 'string', 'STRING', 0, 0, 64), ('golden.every type', 'json', 'JSON', 0, 0, 0), ('golden.every type', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.every type', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden.every type" ("id" INTEGER, "a boolean" BOOLEAN, "short" INTEGER, "int" INTEGER, "decimal" DECIMAL_TEXT, "wide" DECIMAL_TEXT, "float" REAL, "double" REAL, "date" DATE, "time" TIME, "naive" DATETIME, "utc" TIMESTAMP, "binary" BLOB, "xml" TEXT, "string" TEXT, "json" TEXT, "_fivetran_synced" TIMESTAMP, "_fivetran_deleted" BOOLEAN, PRIMARY KEY ("id"));
COMMIT;

-- create 'people'
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
INSERT INTO "_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'SHORT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden.people" ("id" INTEGER, "na""me" TEXT, "size" INTEGER, "_fivetran_synced" TIMESTAMP, "_fivetran_deleted" BOOLEAN, PRIMARY KEY ("id"));
COMMIT;

-- create 'versions'
DELETE FROM "_weir_columns" WHERE table_name = 'golden.versions';
INSERT INTO "_weir_columns" VALUES ('golden.versions', 'id', 'INT', 0, 0, 0), ('golden.versions', 'v', 'STRING', 0, 0, 0), ('golden.versions', 'w', 'DOUBLE', 0, 0, 0), ('golden.versions', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_active', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden.versions" ("id" INTEGER, "v" TEXT, "w" REAL, "_fivetran_synced" TIMESTAMP, "_fivetran_start" TIMESTAMP, "_fivetran_end" TIMESTAMP, "_fivetran_active" BOOLEAN, PRIMARY KEY ("id", "_fivetran_start"));
COMMIT;

-- create 'keyless'
DELETE FROM "_weir_columns" WHERE table_name = 'golden.keyless';
INSERT INTO "_weir_columns" VALUES ('golden.keyless', 'v', 'INT', 0, 0, 0), ('golden.keyless', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0);
CREATE TABLE "golden.keyless" ("v" INTEGER, "_fivetran_synced" TIMESTAMP);
COMMIT;

-- write rows of a table without a key
COMMIT;

-- write replace, update and delete rows
COMMIT;

-- write the first rows of a history
INSERT INTO "golden.versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT s.* FROM temp._weir_stage_1 AS s WHERE s.kind IN (0, 1)) AS s;
COMMIT;

-- write earliest, update and delete rows of a history
DELETE FROM "golden.versions" WHERE ("id", "_fivetran_start") IN (SELECT t."id", t."_fivetran_start" FROM temp._weir_stage_1 AS s JOIN "golden.versions" AS t ON s.kind = 4 AND t."id" = s.c0 AND t."_fivetran_start" >= s.c4);
UPDATE "golden.versions" AS t SET "_fivetran_active" = 0, "_fivetran_end" = weir_before(s.c4) FROM (SELECT * FROM (SELECT s.c0, s.c4, row_number() OVER (PARTITION BY s.c0 ORDER BY s.c4) AS back FROM temp._weir_stage_1 AS s WHERE s.kind = 4) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_active" = 1;
INSERT INTO "golden.versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT * FROM (SELECT g.tier, g.back, g.ground, g.c0, nth_value(g.c1, CAST(coalesce(g.p1, 1) AS INTEGER)) OVER w AS c1, g.c2, g.c3, g.c4, g.c5, g.c6 FROM (SELECT o.*, max(CASE WHEN o.tier < 0 OR (o.m0 = 127) THEN 1 ELSE 0 END) OVER w AS ground, max(CASE WHEN (o.m0 & 2) <> 0 THEN o.rn END) OVER w AS p1 FROM (SELECT a.*, row_number() OVER (PARTITION BY a.c0 ORDER BY a.c4, a.tier, a.seq) AS rn, row_number() OVER (PARTITION BY a.c0, a.c4 ORDER BY a.tier DESC, a.seq DESC) AS back FROM (SELECT b."id" AS c0, b."v" AS c1, b."w" AS c2, b."_fivetran_synced" AS c3, b."_fivetran_start" AS c4, b."_fivetran_end" AS c5, b."_fivetran_active" AS c6, -1 AS m0, -1 AS tier, 0 AS seq FROM "golden.versions" AS b JOIN (SELECT DISTINCT s.c0, (SELECT max(y."_fivetran_start") FROM "golden.versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c4) AS base FROM temp._weir_stage_1 AS s WHERE s.kind IN (0, 1) AND NOT (s.m0 = 127)) AS q ON b."id" = q.c0 AND b."_fivetran_start" = q.base UNION ALL SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6, s.m0, s.kind AS tier, s.seq FROM temp._weir_stage_1 AS s WHERE s.kind IN (0, 1)) AS a) AS o WINDOW w AS (PARTITION BY o.c0 ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS g WINDOW w AS (PARTITION BY g.c0 ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS f WHERE f.tier >= 0 AND f.back = 1 AND f.ground = 1) AS s WHERE TRUE ON CONFLICT ("id", "_fivetran_start") DO UPDATE SET "v" = excluded."v", "w" = excluded."w", "_fivetran_synced" = excluded."_fivetran_synced", "_fivetran_end" = excluded."_fivetran_end", "_fivetran_active" = excluded."_fivetran_active";
UPDATE "golden.versions" AS t SET "_fivetran_active" = 0, "_fivetran_end" = s.c5 FROM (SELECT * FROM (SELECT q.c0, q.c5, q.base, row_number() OVER (PARTITION BY q.c0, q.base ORDER BY q.c5) AS back FROM (SELECT s.c0, s.c5, (SELECT max(y."_fivetran_start") FROM "golden.versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c5) AS base FROM temp._weir_stage_1 AS s WHERE s.kind = 2) AS q) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_start" = s.base AND (t."_fivetran_active" = 1 OR t."_fivetran_end" > s.c5);
COMMIT;

-- truncate, hard
DELETE FROM "golden.people" WHERE "golden.people"."_fivetran_synced" < '2024-01-01 00:00:00.123456789';
COMMIT;

-- truncate, soft
UPDATE "golden.people" SET "_fivetran_deleted" = 1 WHERE "golden.people"."_fivetran_synced" < '2024-01-01 00:00:00.123456789';
COMMIT;

-- alter: a type, a new column
ALTER TABLE "golden.people" ADD COLUMN "born" DATE;
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
INSERT INTO "_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0);
COMMIT;

-- migrate: add a column with a default value
ALTER TABLE "golden.people" ADD COLUMN "origin" TEXT;
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
INSERT INTO "_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0);
UPDATE "golden.people" SET "origin" = 'it''s';
COMMIT;

-- migrate: update a column
UPDATE "golden.people" SET "origin" = NULL;
COMMIT;

-- migrate: copy a column
ALTER TABLE "golden.people" ADD COLUMN "copy" TEXT;
UPDATE "golden.people" AS t SET "copy" = t."origin";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
INSERT INTO "_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0), ('golden.people', 'copy', 'STRING', 0, 0, 0);
COMMIT;

-- migrate: rename a column
ALTER TABLE "golden.people" RENAME COLUMN "copy" TO "kept";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
INSERT INTO "_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0), ('golden.people', 'kept', 'STRING', 0, 0, 0);
COMMIT;

-- migrate: copy a table
CREATE TABLE "golden.people 2" ("id" INTEGER, "na""me" TEXT, "size" INTEGER, "_fivetran_synced" TIMESTAMP, "_fivetran_deleted" BOOLEAN, "born" DATE, "origin" TEXT, "kept" TEXT, PRIMARY KEY ("id"));
INSERT INTO "golden.people 2" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept" FROM "golden.people" AS t;
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people 2';
INSERT INTO "_weir_columns" VALUES ('golden.people 2', 'id', 'INT', 0, 0, 0), ('golden.people 2', 'na"me', 'STRING', 0, 0, 0), ('golden.people 2', 'size', 'INT', 0, 0, 0), ('golden.people 2', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 2', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people 2', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 2', 'origin', 'STRING', 0, 0, 0), ('golden.people 2', 'kept', 'STRING', 0, 0, 0);
COMMIT;

-- migrate: rename a table
ALTER TABLE "golden.people 2" RENAME TO "golden.people 3";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people 3';
UPDATE "_weir_columns" SET table_name = 'golden.people 3' WHERE table_name = 'golden.people 2';
COMMIT;

-- migrate: copy a table to history mode
CREATE TABLE "golden.people 4" ("id" INTEGER, "na""me" TEXT, "size" INTEGER, "_fivetran_synced" TIMESTAMP, "born" DATE, "origin" TEXT, "kept" TEXT, "_fivetran_start" TIMESTAMP, "_fivetran_end" TIMESTAMP, "_fivetran_active" BOOLEAN, PRIMARY KEY ("id", "_fivetran_start"));
INSERT INTO "golden.people 4" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = 1 THEN '1970-01-01 00:00:00' ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden.people" AS y), '1970-01-01 00:00:00') END, CASE WHEN t."_fivetran_deleted" = 1 THEN '1970-01-01 00:00:00' ELSE '9999-12-31 23:59:59.999' END, CASE WHEN t."_fivetran_deleted" = 1 THEN 0 ELSE 1 END FROM "golden.people" AS t;
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people 4';
INSERT INTO "_weir_columns" VALUES ('golden.people 4', 'id', 'INT', 0, 0, 0), ('golden.people 4', 'na"me', 'STRING', 0, 0, 0), ('golden.people 4', 'size', 'INT', 0, 0, 0), ('golden.people 4', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 4', 'origin', 'STRING', 0, 0, 0), ('golden.people 4', 'kept', 'STRING', 0, 0, 0), ('golden.people 4', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', '_fivetran_active', 'BOOLEAN', 0, 0, 0);
COMMIT;

-- migrate: soft delete to history
CREATE TABLE "golden._weir_new_fc409c2e9ee93f7b" ("id" INTEGER, "na""me" TEXT, "size" INTEGER, "_fivetran_synced" TIMESTAMP, "born" DATE, "origin" TEXT, "kept" TEXT, "_fivetran_start" TIMESTAMP, "_fivetran_end" TIMESTAMP, "_fivetran_active" BOOLEAN, PRIMARY KEY ("id", "_fivetran_start"));
INSERT INTO "golden._weir_new_fc409c2e9ee93f7b" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = 1 THEN '1970-01-01 00:00:00' ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden.people 3" AS y), '1970-01-01 00:00:00') END, CASE WHEN t."_fivetran_deleted" = 1 THEN '1970-01-01 00:00:00' ELSE '9999-12-31 23:59:59.999' END, CASE WHEN t."_fivetran_deleted" = 1 THEN 0 ELSE 1 END FROM "golden.people 3" AS t;
DROP TABLE "golden.people 3";
ALTER TABLE "golden._weir_new_fc409c2e9ee93f7b" RENAME TO "golden.people 3";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people 3';
INSERT INTO "_weir_columns" VALUES ('golden.people 3', 'id', 'INT', 0, 0, 0), ('golden.people 3', 'na"me', 'STRING', 0, 0, 0), ('golden.people 3', 'size', 'INT', 0, 0, 0), ('golden.people 3', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 3', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 3', 'origin', 'STRING', 0, 0, 0), ('golden.people 3', 'kept', 'STRING', 0, 0, 0), ('golden.people 3', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.people 3', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.people 3', '_fivetran_active', 'BOOLEAN', 0, 0, 0);
COMMIT;

-- migrate: history to soft delete
CREATE TABLE "golden._weir_new_fc40a12e9ee947fa" ("id" INTEGER, "na""me" TEXT, "size" INTEGER, "_fivetran_synced" TIMESTAMP, "born" DATE, "origin" TEXT, "kept" TEXT, "_fivetran_deleted" BOOLEAN, PRIMARY KEY ("id"));
INSERT INTO "golden._weir_new_fc40a12e9ee947fa" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_deleted") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_active" = 1 THEN 0 ELSE 1 END FROM "golden.people 4" AS t WHERE NOT EXISTS (SELECT 1 FROM "golden.people 4" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" > t."_fivetran_start");
DROP TABLE "golden.people 4";
ALTER TABLE "golden._weir_new_fc40a12e9ee947fa" RENAME TO "golden.people 4";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people 4';
INSERT INTO "_weir_columns" VALUES ('golden.people 4', 'id', 'INT', 0, 0, 0), ('golden.people 4', 'na"me', 'STRING', 0, 0, 0), ('golden.people 4', 'size', 'INT', 0, 0, 0), ('golden.people 4', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 4', 'origin', 'STRING', 0, 0, 0), ('golden.people 4', 'kept', 'STRING', 0, 0, 0), ('golden.people 4', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
COMMIT;

-- migrate: add a column in history mode
ALTER TABLE "golden.versions" ADD COLUMN "x" INTEGER;
DELETE FROM "_weir_columns" WHERE table_name = 'golden.versions';
INSERT INTO "_weir_columns" VALUES ('golden.versions', 'id', 'INT', 0, 0, 0), ('golden.versions', 'v', 'STRING', 0, 0, 0), ('golden.versions', 'w', 'DOUBLE', 0, 0, 0), ('golden.versions', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_active', 'BOOLEAN', 0, 0, 0), ('golden.versions', 'x', 'INT', 0, 0, 0);
INSERT INTO "golden.versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", t."v", t."w", t."_fivetran_synced", '2024-01-01 00:02:00', t."_fivetran_end", t."_fivetran_active", 5 FROM "golden.versions" AS t WHERE t."_fivetran_active" = 1 AND t."_fivetran_start" < '2024-01-01 00:02:00' AND NOT EXISTS (SELECT 1 FROM "golden.versions" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" = '2024-01-01 00:02:00') AND NOT EXISTS (SELECT 1 FROM "golden.versions" AS z WHERE z."id" IS NOT DISTINCT FROM t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = 1 AND z."_fivetran_start" < '2024-01-01 00:02:00');
UPDATE "golden.versions" AS t SET "_fivetran_active" = 0, "_fivetran_end" = '2024-01-01 00:01:59.999' WHERE t."_fivetran_active" = 1 AND t."_fivetran_start" < '2024-01-01 00:02:00';
UPDATE "golden.versions" AS t SET "x" = 5 WHERE t."_fivetran_start" = '2024-01-01 00:02:00';
COMMIT;

-- migrate: drop a column in history mode
INSERT INTO "golden.versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", NULL, t."w", t."_fivetran_synced", '2024-01-01 00:02:00', t."_fivetran_end", t."_fivetran_active", t."x" FROM "golden.versions" AS t WHERE t."_fivetran_active" = 1 AND t."_fivetran_start" < '2024-01-01 00:02:00' AND t."v" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "golden.versions" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" = '2024-01-01 00:02:00') AND NOT EXISTS (SELECT 1 FROM "golden.versions" AS z WHERE z."id" IS NOT DISTINCT FROM t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = 1 AND z."_fivetran_start" < '2024-01-01 00:02:00' AND z."v" IS NOT NULL);
UPDATE "golden.versions" AS t SET "_fivetran_active" = 0, "_fivetran_end" = '2024-01-01 00:01:59.999' WHERE t."_fivetran_active" = 1 AND t."_fivetran_start" < '2024-01-01 00:02:00' AND t."v" IS NOT NULL;
UPDATE "golden.versions" AS t SET "v" = NULL WHERE t."_fivetran_start" = '2024-01-01 00:02:00';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden.people 3";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people 3';
COMMIT;

-- alter: key and type, a column left out, a new one
CREATE TABLE "golden._weir_new_5febfa3518d4930e" ("id" INTEGER, "na""me" TEXT, "size" INTEGER, "_fivetran_synced" TIMESTAMP, "_fivetran_deleted" BOOLEAN, "born" DATE, "origin" TEXT, "kept" TEXT, "age" INTEGER, PRIMARY KEY ("id", "na""me"));
INSERT INTO "golden._weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept", "age") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept", NULL FROM "golden.people" AS t;
DROP TABLE "golden.people";
ALTER TABLE "golden._weir_new_5febfa3518d4930e" RENAME TO "golden.people";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
INSERT INTO "_weir_columns" VALUES ('golden.people', 'id', 'LONG', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0), ('golden.people', 'kept', 'STRING', 0, 0, 0), ('golden.people', 'age', 'INT', 0, 0, 0);
COMMIT;

-- alter: columns dropped
CREATE TABLE "golden._weir_new_5febfa3518d4930e" ("id" INTEGER, "na""me" TEXT, "size" INTEGER, "_fivetran_synced" TIMESTAMP, "_fivetran_deleted" BOOLEAN, PRIMARY KEY ("id"));
INSERT INTO "golden._weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT weir_convert(t."id", 4, 3, 0, 0), t."na""me", weir_convert(t."size", 3, 2, 0, 0), t."_fivetran_synced", t."_fivetran_deleted" FROM "golden.people" AS t;
DROP TABLE "golden.people";
ALTER TABLE "golden._weir_new_5febfa3518d4930e" RENAME TO "golden.people";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
INSERT INTO "_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'SHORT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
COMMIT;

-- migrate: drop a table
DROP TABLE "golden.people";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden.people 4";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.people 4';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden.versions";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.versions';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden.keyless";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.keyless';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden.every type";
DELETE FROM "_weir_columns" WHERE table_name = 'golden.every type';
COMMIT;
