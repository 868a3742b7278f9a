-- What this destination runs: see tests/sql/golden.c.

-- create 'every type'
CREATE TABLE IF NOT EXISTS "_weir_columns" (table_name VARCHAR(512) COLLATE utf8mb4_nopad_bin NOT NULL, column_name VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL, type TEXT COLLATE utf8mb4_nopad_bin NOT NULL, "precision" BIGINT, scale BIGINT, string_byte_length BIGINT, PRIMARY KEY (table_name, column_name));
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.every type', 'golden._weir_new_adacb94dfc5fd044');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.every type', 'id', 'LONG', 0, 0, 0), ('golden.every type', 'a boolean', 'BOOLEAN', 0, 0, 0), ('golden.every type', 'short', 'SHORT', 0, 0, 0), ('golden.every type', 'int', 'INT', 0, 0, 0), ('golden.every type', 'decimal', 'DECIMAL', 10, 2, 0), ('golden.every type', 'wide', 'DECIMAL', 38, 37, 0), ('golden.every type', 'float', 'FLOAT', 0, 0, 0), ('golden.every type', 'double', 'DOUBLE', 0, 0, 0), ('golden.every type', 'date', 'NAIVE_DATE', 0, 0, 0), ('golden.every type', 'time', 'NAIVE_TIME', 0, 0, 0), ('golden.every type', 'naive', 'NAIVE_DATETIME', 0, 0, 0), ('golden.every type', 'utc', 'UTC_DATETIME', 0, 0, 0), ('golden.every type', 'binary', 'BINARY', 0, 0, 0), ('golden.every type', 'xml', 'XML', 0, 0, 0), ('golden.every type', 'string', 'STRING', 0, 0, 64), ('golden.every type', 'json', 'JSON', 0, 0, 0), ('golden.every type', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.every type', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden"."every type" ("id" bigint(20), "a boolean" tinyint(1), "short" smallint(6), "int" int(11), "decimal" decimal(10,2), "wide" decimal(38,37), "float" float, "double" double, "date" date, "time" time(6), "naive" datetime(6), "utc" datetime(6), "binary" longblob, "xml" longtext COLLATE utf8mb4_nopad_bin, "string" longtext COLLATE utf8mb4_nopad_bin, "json" longtext COLLATE utf8mb4_nopad_bin, "_fivetran_synced" datetime(6), "_fivetran_deleted" tinyint(1), PRIMARY KEY ("id"));
COMMIT;

-- create 'people'
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'SHORT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden"."people" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" smallint(6), "_fivetran_synced" datetime(6), "_fivetran_deleted" tinyint(1), PRIMARY KEY ("id"));
COMMIT;

-- create 'versions'
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.versions', 'golden._weir_new_71c101c65726118c');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.versions', 'id', 'INT', 0, 0, 0), ('golden.versions', 'v', 'STRING', 0, 0, 0), ('golden.versions', 'w', 'DOUBLE', 0, 0, 0), ('golden.versions', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_active', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden"."versions" ("id" int(11), "v" longtext COLLATE utf8mb4_nopad_bin, "w" double, "_fivetran_synced" datetime(6), "_fivetran_start" datetime(6), "_fivetran_end" datetime(6), "_fivetran_active" tinyint(1), PRIMARY KEY ("id", "_fivetran_start"));
COMMIT;

-- create 'keyless'
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.keyless', 'golden._weir_new_8bba809a0498e8b5');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.keyless', 'v', 'INT', 0, 0, 0), ('golden.keyless', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0);
CREATE TABLE "golden"."keyless" ("v" int(11), "_fivetran_synced" datetime(6));
COMMIT;

-- write rows of a table without a key
COMMIT;

-- write replace, update and delete rows
INSERT INTO "golden"."people" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT s.c0, s.c1, s.c2, s.c3, s.c4 FROM (SELECT * FROM (SELECT s.*, row_number() OVER (PARTITION BY s.c0 ORDER BY s.seq DESC) AS back FROM "_weir_stage_1" AS s) AS d WHERE d.back = 1) AS s;
UPDATE "golden"."people" AS t JOIN (SELECT * FROM (SELECT g.back, g.p1, g.p2, g.c0, nth_value(g.c1, CAST(coalesce(g.p1, 1) AS INTEGER)) OVER w AS c1, nth_value(g.c2, CAST(coalesce(g.p2, 1) AS INTEGER)) OVER w AS c2, g.c3, g.c4 FROM (SELECT o.*, max(CASE WHEN (o.m0 & 2) <> 0 THEN o.rn END) OVER w AS p1, max(CASE WHEN (o.m0 & 4) <> 0 THEN o.rn END) OVER w AS p2 FROM (SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.m0, row_number() OVER (PARTITION BY s.c0 ORDER BY s.seq) AS rn, row_number() OVER (PARTITION BY s.c0 ORDER BY s.seq DESC) AS back FROM "_weir_stage_2" AS s) AS o WINDOW w AS (PARTITION BY o.c0 ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS g WINDOW w AS (PARTITION BY g.c0 ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS f WHERE f.back = 1) AS s ON t."id" = s.c0 SET t."na""me" = CASE WHEN s.p1 IS NOT NULL THEN s.c1 ELSE t."na""me" END, t."size" = CASE WHEN s.p2 IS NOT NULL THEN s.c2 ELSE t."size" END, t."_fivetran_synced" = s.c3, t."_fivetran_deleted" = s.c4;
DELETE t FROM "golden"."people" AS t JOIN "_weir_stage_3" AS s ON t."id" = s.c0;
COMMIT;

-- write the first rows of a history
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT s.* FROM "_weir_stage_1" AS s WHERE s.kind IN (0, 1)) AS s;
COMMIT;

-- write earliest, update and delete rows of a history
DELETE t FROM "golden"."versions" AS t JOIN "_weir_stage_1" AS s ON s.kind = 4 AND t."id" = s.c0 AND t."_fivetran_start" >= s.c4;
UPDATE "golden"."versions" AS t JOIN (SELECT * FROM (SELECT s.c0, s.c4, row_number() OVER (PARTITION BY s.c0 ORDER BY s.c4) AS back FROM "_weir_stage_1" AS s WHERE s.kind = 4) AS d WHERE d.back = 1) AS s ON t."id" = s.c0 AND t."_fivetran_active" = TRUE SET t."_fivetran_active" = FALSE, t."_fivetran_end" = coalesce(s.c4 - INTERVAL 1000 MICROSECOND, TIMESTAMP'0000-12-31 23:59:59.999');
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT * FROM (SELECT g.tier, g.back, g.ground, g.c0, nth_value(g.c1, CAST(coalesce(g.p1, 1) AS INTEGER)) OVER w AS c1, g.c2, g.c3, g.c4, g.c5, g.c6 FROM (SELECT o.*, max(CASE WHEN o.tier < 0 OR (o.m0 = 127) THEN 1 ELSE 0 END) OVER w AS ground, max(CASE WHEN (o.m0 & 2) <> 0 THEN o.rn END) OVER w AS p1 FROM (SELECT a.*, row_number() OVER (PARTITION BY a.c0 ORDER BY a.c4, a.tier, a.seq) AS rn, row_number() OVER (PARTITION BY a.c0, a.c4 ORDER BY a.tier DESC, a.seq DESC) AS back FROM (SELECT b."id" AS c0, b."v" AS c1, b."w" AS c2, b."_fivetran_synced" AS c3, b."_fivetran_start" AS c4, b."_fivetran_end" AS c5, b."_fivetran_active" AS c6, -1 AS m0, -1 AS tier, 0 AS seq FROM "golden"."versions" AS b JOIN (SELECT DISTINCT s.c0, (SELECT max(y."_fivetran_start") FROM "golden"."versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c4) AS base FROM "_weir_stage_1" AS s WHERE s.kind IN (0, 1) AND NOT (s.m0 = 127)) AS q ON b."id" = q.c0 AND b."_fivetran_start" = q.base UNION ALL SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6, s.m0, s.kind AS tier, s.seq FROM "_weir_stage_1" AS s WHERE s.kind IN (0, 1)) AS a) AS o WINDOW w AS (PARTITION BY o.c0 ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS g WINDOW w AS (PARTITION BY g.c0 ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS f WHERE f.tier >= 0 AND f.back = 1 AND f.ground = 1) AS s ON DUPLICATE KEY UPDATE "v" = VALUES("v"), "w" = VALUES("w"), "_fivetran_synced" = VALUES("_fivetran_synced"), "_fivetran_end" = VALUES("_fivetran_end"), "_fivetran_active" = VALUES("_fivetran_active");
UPDATE "golden"."versions" AS t JOIN (SELECT * FROM (SELECT q.c0, q.c5, q.base, row_number() OVER (PARTITION BY q.c0, q.base ORDER BY q.c5) AS back FROM (SELECT s.c0, s.c5, (SELECT max(y."_fivetran_start") FROM "golden"."versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c5) AS base FROM "_weir_stage_1" AS s WHERE s.kind = 2) AS q) AS d WHERE d.back = 1) AS s ON t."id" = s.c0 AND t."_fivetran_start" = s.base AND (t."_fivetran_active" = TRUE OR t."_fivetran_end" > s.c5) SET t."_fivetran_active" = FALSE, t."_fivetran_end" = s.c5;
COMMIT;

-- truncate, hard
DELETE FROM "golden"."people" WHERE "golden"."people"."_fivetran_synced" < TIMESTAMP'2024-01-01 00:00:00.123456';
COMMIT;

-- truncate, soft
UPDATE "golden"."people" SET "_fivetran_deleted" = TRUE WHERE "golden"."people"."_fivetran_synced" < TIMESTAMP'2024-01-01 00:00:00.123456';
COMMIT;

-- alter: a type, a new column
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_5febfa3518d4930e', 'golden._weir_new_e1b69e1d41539092');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_5febfa3518d4930e', 'id', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'size', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'born', 'NAIVE_DATE', 0, 0, 0);
CREATE TABLE "golden"."_weir_new_5febfa3518d4930e" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" int(11), "_fivetran_synced" datetime(6), "_fivetran_deleted" tinyint(1), "born" date, PRIMARY KEY ("id"));
INSERT INTO "golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", NULL FROM "golden"."people" AS t;
RENAME TABLE "golden"."people" TO "golden"."_weir_old_5febfa3518d4930e", "golden"."_weir_new_5febfa3518d4930e" TO "golden"."people";
DROP TABLE "golden"."_weir_old_5febfa3518d4930e";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0);
COMMIT;

-- migrate: add a column with a default value
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_5febfa3518d4930e', 'golden._weir_new_e1b69e1d41539092');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_5febfa3518d4930e', 'id', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'size', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'origin', 'STRING', 0, 0, 0);
ALTER TABLE "golden"."people" ADD COLUMN "origin" longtext COLLATE utf8mb4_nopad_bin;
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0);
UPDATE "golden"."people" SET "origin" = 'it''s';
COMMIT;

-- migrate: update a column
UPDATE "golden"."people" SET "origin" = NULL;
COMMIT;

-- migrate: copy a column
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_5febfa3518d4930e', 'golden._weir_new_e1b69e1d41539092');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_5febfa3518d4930e', 'id', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'size', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'origin', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'copy', 'STRING', 0, 0, 0);
CREATE TABLE "golden"."_weir_new_5febfa3518d4930e" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" int(11), "_fivetran_synced" datetime(6), "_fivetran_deleted" tinyint(1), "born" date, "origin" longtext COLLATE utf8mb4_nopad_bin, "copy" longtext COLLATE utf8mb4_nopad_bin, PRIMARY KEY ("id"));
INSERT INTO "golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "copy") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."origin" FROM "golden"."people" AS t;
RENAME TABLE "golden"."people" TO "golden"."_weir_old_5febfa3518d4930e", "golden"."_weir_new_5febfa3518d4930e" TO "golden"."people";
DROP TABLE "golden"."_weir_old_5febfa3518d4930e";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0), ('golden.people', 'copy', 'STRING', 0, 0, 0);
COMMIT;

-- migrate: rename a column
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_5febfa3518d4930e', 'golden._weir_new_e1b69e1d41539092');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_5febfa3518d4930e', 'id', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'size', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'origin', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'kept', 'STRING', 0, 0, 0);
ALTER TABLE "golden"."people" RENAME COLUMN "copy" TO "kept";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0), ('golden.people', 'kept', 'STRING', 0, 0, 0);
COMMIT;

-- migrate: copy a table
CREATE TABLE "golden"."_weir_copy_fc409b2e9ee93dc8" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" int(11), "_fivetran_synced" datetime(6), "_fivetran_deleted" tinyint(1), "born" date, "origin" longtext COLLATE utf8mb4_nopad_bin, "kept" longtext COLLATE utf8mb4_nopad_bin, PRIMARY KEY ("id"));
INSERT INTO "golden"."_weir_copy_fc409b2e9ee93dc8" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept" FROM "golden"."people" AS t;
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 2', 'golden._weir_new_fc409b2e9ee93dc8');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people 2', 'id', 'INT', 0, 0, 0), ('golden.people 2', 'na"me', 'STRING', 0, 0, 0), ('golden.people 2', 'size', 'INT', 0, 0, 0), ('golden.people 2', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 2', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people 2', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 2', 'origin', 'STRING', 0, 0, 0), ('golden.people 2', 'kept', 'STRING', 0, 0, 0);
ALTER TABLE "golden"."_weir_copy_fc409b2e9ee93dc8" RENAME TO "golden"."people 2";
COMMIT;

-- migrate: rename a table
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 3', 'golden._weir_new_fc409c2e9ee93f7b');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people 3', 'id', 'INT', 0, 0, 0), ('golden.people 3', 'na"me', 'STRING', 0, 0, 0), ('golden.people 3', 'size', 'INT', 0, 0, 0), ('golden.people 3', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 3', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people 3', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 3', 'origin', 'STRING', 0, 0, 0), ('golden.people 3', 'kept', 'STRING', 0, 0, 0);
ALTER TABLE "golden"."people 2" RENAME TO "golden"."people 3";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 2', 'golden._weir_new_fc409b2e9ee93dc8');
COMMIT;

-- migrate: copy a table to history mode
CREATE TABLE "golden"."_weir_copy_fc40a12e9ee947fa" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" int(11), "_fivetran_synced" datetime(6), "born" date, "origin" longtext COLLATE utf8mb4_nopad_bin, "kept" longtext COLLATE utf8mb4_nopad_bin, "_fivetran_start" datetime(6), "_fivetran_end" datetime(6), "_fivetran_active" tinyint(1), PRIMARY KEY ("id", "_fivetran_start"));
INSERT INTO "golden"."_weir_copy_fc40a12e9ee947fa" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = TRUE THEN TIMESTAMP'1970-01-01 00:00:00' ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden"."people" AS y), TIMESTAMP'1970-01-01 00:00:00') END, CASE WHEN t."_fivetran_deleted" = TRUE THEN TIMESTAMP'1970-01-01 00:00:00' ELSE TIMESTAMP'9999-12-31 23:59:59.999' END, CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END FROM "golden"."people" AS t;
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 4', 'golden._weir_new_fc40a12e9ee947fa');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people 4', 'id', 'INT', 0, 0, 0), ('golden.people 4', 'na"me', 'STRING', 0, 0, 0), ('golden.people 4', 'size', 'INT', 0, 0, 0), ('golden.people 4', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 4', 'origin', 'STRING', 0, 0, 0), ('golden.people 4', 'kept', 'STRING', 0, 0, 0), ('golden.people 4', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', '_fivetran_active', 'BOOLEAN', 0, 0, 0);
ALTER TABLE "golden"."_weir_copy_fc40a12e9ee947fa" RENAME TO "golden"."people 4";
COMMIT;

-- migrate: soft delete to history
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_fc409c2e9ee93f7b', 'golden._weir_new_f23d24ac6c8acc37');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_fc409c2e9ee93f7b', 'id', 'INT', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', 'size', 'INT', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', 'origin', 'STRING', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', 'kept', 'STRING', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_fc409c2e9ee93f7b', '_fivetran_active', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden"."_weir_new_fc409c2e9ee93f7b" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" int(11), "_fivetran_synced" datetime(6), "born" date, "origin" longtext COLLATE utf8mb4_nopad_bin, "kept" longtext COLLATE utf8mb4_nopad_bin, "_fivetran_start" datetime(6), "_fivetran_end" datetime(6), "_fivetran_active" tinyint(1), PRIMARY KEY ("id", "_fivetran_start"));
INSERT INTO "golden"."_weir_new_fc409c2e9ee93f7b" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = TRUE THEN TIMESTAMP'1970-01-01 00:00:00' ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden"."people 3" AS y), TIMESTAMP'1970-01-01 00:00:00') END, CASE WHEN t."_fivetran_deleted" = TRUE THEN TIMESTAMP'1970-01-01 00:00:00' ELSE TIMESTAMP'9999-12-31 23:59:59.999' END, CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END FROM "golden"."people 3" AS t;
RENAME TABLE "golden"."people 3" TO "golden"."_weir_old_fc409c2e9ee93f7b", "golden"."_weir_new_fc409c2e9ee93f7b" TO "golden"."people 3";
DROP TABLE "golden"."_weir_old_fc409c2e9ee93f7b";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 3', 'golden._weir_new_fc409c2e9ee93f7b');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people 3', 'id', 'INT', 0, 0, 0), ('golden.people 3', 'na"me', 'STRING', 0, 0, 0), ('golden.people 3', 'size', 'INT', 0, 0, 0), ('golden.people 3', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 3', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 3', 'origin', 'STRING', 0, 0, 0), ('golden.people 3', 'kept', 'STRING', 0, 0, 0), ('golden.people 3', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.people 3', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.people 3', '_fivetran_active', 'BOOLEAN', 0, 0, 0);
COMMIT;

-- migrate: history to soft delete
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_fc40a12e9ee947fa', 'golden._weir_new_9d823d0e4bdd4a59');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_fc40a12e9ee947fa', 'id', 'INT', 0, 0, 0), ('golden._weir_new_fc40a12e9ee947fa', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_fc40a12e9ee947fa', 'size', 'INT', 0, 0, 0), ('golden._weir_new_fc40a12e9ee947fa', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_fc40a12e9ee947fa', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden._weir_new_fc40a12e9ee947fa', 'origin', 'STRING', 0, 0, 0), ('golden._weir_new_fc40a12e9ee947fa', 'kept', 'STRING', 0, 0, 0), ('golden._weir_new_fc40a12e9ee947fa', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden"."_weir_new_fc40a12e9ee947fa" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" int(11), "_fivetran_synced" datetime(6), "born" date, "origin" longtext COLLATE utf8mb4_nopad_bin, "kept" longtext COLLATE utf8mb4_nopad_bin, "_fivetran_deleted" tinyint(1), PRIMARY KEY ("id"));
INSERT INTO "golden"."_weir_new_fc40a12e9ee947fa" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_deleted") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_active" = TRUE THEN FALSE ELSE TRUE END FROM "golden"."people 4" AS t WHERE NOT EXISTS (SELECT 1 FROM "golden"."people 4" AS y WHERE y."id" = t."id" AND y."_fivetran_start" > t."_fivetran_start");
RENAME TABLE "golden"."people 4" TO "golden"."_weir_old_fc40a12e9ee947fa", "golden"."_weir_new_fc40a12e9ee947fa" TO "golden"."people 4";
DROP TABLE "golden"."_weir_old_fc40a12e9ee947fa";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 4', 'golden._weir_new_fc40a12e9ee947fa');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people 4', 'id', 'INT', 0, 0, 0), ('golden.people 4', 'na"me', 'STRING', 0, 0, 0), ('golden.people 4', 'size', 'INT', 0, 0, 0), ('golden.people 4', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people 4', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people 4', 'origin', 'STRING', 0, 0, 0), ('golden.people 4', 'kept', 'STRING', 0, 0, 0), ('golden.people 4', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
COMMIT;

-- migrate: add a column in history mode
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_71c101c65726118c', 'golden._weir_new_bf7e3e64fd24ce60');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_71c101c65726118c', 'id', 'INT', 0, 0, 0), ('golden._weir_new_71c101c65726118c', 'v', 'STRING', 0, 0, 0), ('golden._weir_new_71c101c65726118c', 'w', 'DOUBLE', 0, 0, 0), ('golden._weir_new_71c101c65726118c', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_71c101c65726118c', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_71c101c65726118c', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_71c101c65726118c', '_fivetran_active', 'BOOLEAN', 0, 0, 0), ('golden._weir_new_71c101c65726118c', 'x', 'INT', 0, 0, 0);
ALTER TABLE "golden"."versions" ADD COLUMN "x" int(11);
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.versions', 'golden._weir_new_71c101c65726118c');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.versions', 'id', 'INT', 0, 0, 0), ('golden.versions', 'v', 'STRING', 0, 0, 0), ('golden.versions', 'w', 'DOUBLE', 0, 0, 0), ('golden.versions', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_start', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_end', 'UTC_DATETIME', 0, 0, 0), ('golden.versions', '_fivetran_active', 'BOOLEAN', 0, 0, 0), ('golden.versions', 'x', 'INT', 0, 0, 0);
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", t."v", t."w", t."_fivetran_synced", TIMESTAMP'2024-01-01 00:02:00', t."_fivetran_end", t."_fivetran_active", 5 FROM "golden"."versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < TIMESTAMP'2024-01-01 00:02:00' AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS y WHERE y."id" = t."id" AND y."_fivetran_start" = TIMESTAMP'2024-01-01 00:02:00') AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS z WHERE z."id" = t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < TIMESTAMP'2024-01-01 00:02:00');
UPDATE "golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = TIMESTAMP'2024-01-01 00:01:59.999' WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < TIMESTAMP'2024-01-01 00:02:00';
UPDATE "golden"."versions" AS t SET "x" = 5 WHERE t."_fivetran_start" = TIMESTAMP'2024-01-01 00:02:00';
COMMIT;

-- migrate: drop a column in history mode
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", NULL, t."w", t."_fivetran_synced", TIMESTAMP'2024-01-01 00:02:00', t."_fivetran_end", t."_fivetran_active", t."x" FROM "golden"."versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < TIMESTAMP'2024-01-01 00:02:00' AND t."v" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS y WHERE y."id" = t."id" AND y."_fivetran_start" = TIMESTAMP'2024-01-01 00:02:00') AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS z WHERE z."id" = t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < TIMESTAMP'2024-01-01 00:02:00' AND z."v" IS NOT NULL);
UPDATE "golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = TIMESTAMP'2024-01-01 00:01:59.999' WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < TIMESTAMP'2024-01-01 00:02:00' AND t."v" IS NOT NULL;
UPDATE "golden"."versions" AS t SET "v" = NULL WHERE t."_fivetran_start" = TIMESTAMP'2024-01-01 00:02:00';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."people 3";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 3', 'golden._weir_new_fc409c2e9ee93f7b');
COMMIT;

-- alter: key and type, a column left out, a new one
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_5febfa3518d4930e', 'golden._weir_new_e1b69e1d41539092');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_5febfa3518d4930e', 'id', 'LONG', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'size', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'origin', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'kept', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'age', 'INT', 0, 0, 0);
CREATE TABLE "golden"."_weir_new_5febfa3518d4930e" ("id" bigint(20), "na""me" varchar(255) COLLATE utf8mb4_nopad_bin, "size" int(11), "_fivetran_synced" datetime(6), "_fivetran_deleted" tinyint(1), "born" date, "origin" longtext COLLATE utf8mb4_nopad_bin, "kept" longtext COLLATE utf8mb4_nopad_bin, "age" int(11), PRIMARY KEY ("id", "na""me"));
INSERT INTO "golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept", "age") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept", NULL FROM "golden"."people" AS t;
RENAME TABLE "golden"."people" TO "golden"."_weir_old_5febfa3518d4930e", "golden"."_weir_new_5febfa3518d4930e" TO "golden"."people";
DROP TABLE "golden"."_weir_old_5febfa3518d4930e";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people', 'id', 'LONG', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'INT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0), ('golden.people', 'born', 'NAIVE_DATE', 0, 0, 0), ('golden.people', 'origin', 'STRING', 0, 0, 0), ('golden.people', 'kept', 'STRING', 0, 0, 0), ('golden.people', 'age', 'INT', 0, 0, 0);
COMMIT;

-- alter: columns dropped
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden._weir_new_5febfa3518d4930e', 'golden._weir_new_e1b69e1d41539092');
INSERT INTO "weir"."_weir_columns" VALUES ('golden._weir_new_5febfa3518d4930e', 'id', 'INT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'na"me', 'STRING', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', 'size', 'SHORT', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden._weir_new_5febfa3518d4930e', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
CREATE TABLE "golden"."_weir_new_5febfa3518d4930e" ("id" int(11), "na""me" longtext COLLATE utf8mb4_nopad_bin, "size" smallint(6), "_fivetran_synced" datetime(6), "_fivetran_deleted" tinyint(1), PRIMARY KEY ("id"));
INSERT INTO "golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted" FROM "golden"."people" AS t;
RENAME TABLE "golden"."people" TO "golden"."_weir_old_5febfa3518d4930e", "golden"."_weir_new_5febfa3518d4930e" TO "golden"."people";
DROP TABLE "golden"."_weir_old_5febfa3518d4930e";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
INSERT INTO "weir"."_weir_columns" VALUES ('golden.people', 'id', 'INT', 0, 0, 0), ('golden.people', 'na"me', 'STRING', 0, 0, 0), ('golden.people', 'size', 'SHORT', 0, 0, 0), ('golden.people', '_fivetran_synced', 'UTC_DATETIME', 0, 0, 0), ('golden.people', '_fivetran_deleted', 'BOOLEAN', 0, 0, 0);
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."people";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people', 'golden._weir_new_5febfa3518d4930e');
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."people 4";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.people 4', 'golden._weir_new_fc40a12e9ee947fa');
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."versions";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.versions', 'golden._weir_new_71c101c65726118c');
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."keyless";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.keyless', 'golden._weir_new_8bba809a0498e8b5');
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."every type";
DELETE FROM "weir"."_weir_columns" WHERE table_name IN ('golden.every type', 'golden._weir_new_adacb94dfc5fd044');
COMMIT;
