-- What this destination runs: see tests/sql/golden.c.

-- create 'every type'
CREATE TABLE "golden/every%20type" ("id" BIGINT, "a boolean" BOOLEAN, "short" SMALLINT, "int" INTEGER, "decimal" DECIMAL(10,2), "wide" DECIMAL(38,37), "float" FLOAT, "double" DOUBLE, "date" DATE, "time" TIME, "naive" TIMESTAMP, "utc" TIMESTAMP WITH TIME ZONE, "binary" BLOB, "xml" VARCHAR, "string" VARCHAR, "json" VARCHAR, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN);
COMMENT ON COLUMN "golden/every%20type"."id" IS 'weir:LONG KEY'; COMMENT ON COLUMN "golden/every%20type"."a boolean" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "golden/every%20type"."short" IS 'weir:SHORT'; COMMENT ON COLUMN "golden/every%20type"."int" IS 'weir:INT'; COMMENT ON COLUMN "golden/every%20type"."decimal" IS 'weir:DECIMAL(10,2)'; COMMENT ON COLUMN "golden/every%20type"."wide" IS 'weir:DECIMAL(38,37)'; COMMENT ON COLUMN "golden/every%20type"."float" IS 'weir:FLOAT'; COMMENT ON COLUMN "golden/every%20type"."double" IS 'weir:DOUBLE'; COMMENT ON COLUMN "golden/every%20type"."date" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "golden/every%20type"."time" IS 'weir:NAIVE_TIME'; COMMENT ON COLUMN "golden/every%20type"."naive" IS 'weir:NAIVE_DATETIME'; COMMENT ON COLUMN "golden/every%20type"."utc" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/every%20type"."binary" IS 'weir:BINARY'; COMMENT ON COLUMN "golden/every%20type"."xml" IS 'weir:XML'; COMMENT ON COLUMN "golden/every%20type"."string" IS 'weir:STRING(64)'; COMMENT ON COLUMN "golden/every%20type"."json" IS 'weir:JSON'; COMMENT ON COLUMN "golden/every%20type"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/every%20type"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- create 'people'
CREATE TABLE "golden/people" ("id" INTEGER, "na""me" VARCHAR, "size" SMALLINT, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN);
COMMENT ON COLUMN "golden/people"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "golden/people"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "golden/people"."size" IS 'weir:SHORT'; COMMENT ON COLUMN "golden/people"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/people"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- create 'versions'
CREATE TABLE "golden/versions" ("id" INTEGER, "v" VARCHAR, "w" DOUBLE, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_start" TIMESTAMP WITH TIME ZONE, "_fivetran_end" TIMESTAMP WITH TIME ZONE, "_fivetran_active" BOOLEAN);
COMMENT ON COLUMN "golden/versions"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "golden/versions"."v" IS 'weir:STRING'; COMMENT ON COLUMN "golden/versions"."w" IS 'weir:DOUBLE'; COMMENT ON COLUMN "golden/versions"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/versions"."_fivetran_start" IS 'weir:UTC_DATETIME KEY'; COMMENT ON COLUMN "golden/versions"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/versions"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- create 'keyless'
CREATE TABLE "golden/keyless" ("v" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE);
COMMENT ON COLUMN "golden/keyless"."v" IS 'weir:INT'; COMMENT ON COLUMN "golden/keyless"."_fivetran_synced" IS 'weir:UTC_DATETIME';
COMMIT;

-- write rows of a table without a key
INSERT INTO "golden/keyless" ("v", "_fivetran_synced") SELECT s.c0, s.c1 FROM weir_stage(1) AS s;
COMMIT;

-- write replace, update and delete rows
INSERT INTO "golden/people" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT s.c0, s.c1, s.c2, s.c3, s.c4 FROM weir_stage(2) AS s;
UPDATE "golden/people" AS t SET "na""me" = CASE WHEN (s.m0 & 2) <> 0 THEN s.c1 ELSE t."na""me" END, "size" = CASE WHEN (s.m0 & 4) <> 0 THEN s.c2 ELSE t."size" END, "_fivetran_synced" = s.c3, "_fivetran_deleted" = s.c4 FROM weir_stage(3) AS s WHERE t."id" = s.c0;
DELETE FROM "golden/people" AS t USING weir_stage(2) AS s WHERE t."id" = s.c0;
COMMIT;

-- write the first rows of a history
INSERT INTO "golden/versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT s.* FROM weir_stage(4) AS s WHERE s.kind IN (0, 1)) AS s;
COMMIT;

-- write earliest, update and delete rows of a history
DELETE FROM "golden/versions" AS t USING weir_stage(5) AS s WHERE s.kind = 4 AND t."id" = s.c0 AND t."_fivetran_start" >= s.c4;
UPDATE "golden/versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = s.c4 - INTERVAL '1 millisecond' FROM (SELECT * FROM (SELECT s.c0, s.c4, row_number() OVER (PARTITION BY s.c0 ORDER BY s.c4) AS back FROM weir_stage(5) AS s WHERE s.kind = 4) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_active" = TRUE;
DROP TABLE IF EXISTS temp."_weir_versions_1_0";
CREATE TEMP TABLE "_weir_versions_1_0" AS SELECT * FROM (SELECT g.tier, g.back, g.ground, g.c0, nth_value(g.c1, CAST(coalesce(g.p1, 1) AS INTEGER)) OVER w AS c1, g.c2, g.c3, g.c4, g.c5, g.c6 FROM (SELECT o.*, max(CASE WHEN o.tier < 0 OR (o.m0 = 127) THEN 1 ELSE 0 END) OVER w AS ground, max(CASE WHEN (o.m0 & 2) <> 0 THEN o.rn END) OVER w AS p1 FROM (SELECT a.*, row_number() OVER (PARTITION BY a.c0 ORDER BY a.c4, a.tier, a.seq) AS rn, row_number() OVER (PARTITION BY a.c0, a.c4 ORDER BY a.tier DESC, a.seq DESC) AS back FROM (SELECT b."id" AS c0, b."v" AS c1, b."w" AS c2, b."_fivetran_synced" AS c3, b."_fivetran_start" AS c4, b."_fivetran_end" AS c5, b."_fivetran_active" AS c6, -1 AS m0, -1 AS tier, 0 AS seq FROM "golden/versions" AS b JOIN (SELECT DISTINCT s.c0, (SELECT max(y."_fivetran_start") FROM "golden/versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c4) AS base FROM weir_stage(5) AS s WHERE s.kind IN (0, 1) AND NOT (s.m0 = 127)) AS q ON b."id" = q.c0 AND b."_fivetran_start" = q.base UNION ALL SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6, s.m0, s.kind AS tier, s.seq FROM weir_stage(5) AS s WHERE s.kind IN (0, 1)) AS a) AS o WINDOW w AS (PARTITION BY o.c0 ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS g WINDOW w AS (PARTITION BY g.c0 ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS f WHERE f.tier >= 0 AND f.back = 1 AND f.ground = 1;
DELETE FROM "golden/versions" AS t USING (SELECT v0.c0, v0.c1, v0.c2, v0.c3, v0.c4, v0.c5, v0.c6 FROM temp."_weir_versions_1_0" AS v0) AS s WHERE t."id" = s.c0 AND t."_fivetran_start" = s.c4;
INSERT INTO "golden/versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT v0.c0, v0.c1, v0.c2, v0.c3, v0.c4, v0.c5, v0.c6 FROM temp."_weir_versions_1_0" AS v0) AS s;
DROP TABLE IF EXISTS temp."_weir_versions_1_0";
UPDATE "golden/versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = s.c5 FROM (SELECT * FROM (SELECT q.c0, q.c5, q.base, row_number() OVER (PARTITION BY q.c0, q.base ORDER BY q.c5) AS back FROM (SELECT s.c0, s.c5, (SELECT max(y."_fivetran_start") FROM "golden/versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c5) AS base FROM weir_stage(5) AS s WHERE s.kind = 2) AS q) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_start" = s.base AND (t."_fivetran_active" = TRUE OR t."_fivetran_end" > s.c5);
COMMIT;

-- truncate, hard
DELETE FROM "golden/people" WHERE "golden/people"."_fivetran_synced" <= CAST('2024-01-01 00:00:00.123456' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- truncate, soft
UPDATE "golden/people" SET "_fivetran_deleted" = TRUE WHERE "golden/people"."_fivetran_synced" <= CAST('2024-01-01 00:00:00.123456' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- alter: a type, a new column
CREATE TABLE "golden/_weir_new_5febfa3518d4930e" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, "born" DATE);
INSERT INTO "golden/_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born") SELECT t."id", t."na""me", CASE WHEN t."size" IS NOT NULL AND (TRY_CAST(t."size" AS INTEGER) IS NULL OR false) THEN CAST(error('a stored value of column ''size'' has no exact place in the type INTEGER. Drop or correct such values, or re-sync the table.') AS INTEGER) ELSE TRY_CAST(t."size" AS INTEGER) END, t."_fivetran_synced", t."_fivetran_deleted", NULL FROM "golden/people" AS t;
DROP TABLE "golden/people";
ALTER TABLE "golden/_weir_new_5febfa3518d4930e" RENAME TO "golden/people";
COMMENT ON COLUMN "golden/people"."size" IS 'weir:INT'; COMMENT ON COLUMN "golden/people"."born" IS 'weir:NAIVE_DATE';
COMMIT;

-- migrate: add a column with a default value
ALTER TABLE "golden/people" ADD COLUMN "origin" VARCHAR;
COMMENT ON COLUMN "golden/people"."origin" IS 'weir:STRING';
UPDATE "golden/people" SET "origin" = ('it''s');
COMMIT;

-- migrate: update a column
UPDATE "golden/people" SET "origin" = CAST(NULL AS VARCHAR);
COMMIT;

-- migrate: copy a column
ALTER TABLE "golden/people" ADD COLUMN "copy" VARCHAR;
UPDATE "golden/people" AS t SET "copy" = t."origin";
COMMENT ON COLUMN "golden/people"."copy" IS 'weir:STRING';
COMMIT;

-- migrate: rename a column
ALTER TABLE "golden/people" RENAME COLUMN "copy" TO "kept";
COMMENT ON COLUMN "golden/people"."kept" IS 'weir:STRING';
COMMIT;

-- migrate: copy a table
CREATE TABLE "golden/people%202" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, "born" DATE, "origin" VARCHAR, "kept" VARCHAR);
INSERT INTO "golden/people%202" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept" FROM "golden/people" AS t;
COMMENT ON COLUMN "golden/people%202"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "golden/people%202"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "golden/people%202"."size" IS 'weir:INT'; COMMENT ON COLUMN "golden/people%202"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/people%202"."_fivetran_deleted" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "golden/people%202"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "golden/people%202"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "golden/people%202"."kept" IS 'weir:STRING';
COMMIT;

-- migrate: rename a table
ALTER TABLE "golden/people%202" RENAME TO "golden/people%203";
COMMIT;

-- migrate: copy a table to history mode
CREATE TABLE "golden/people%204" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "born" DATE, "origin" VARCHAR, "kept" VARCHAR, "_fivetran_start" TIMESTAMP WITH TIME ZONE, "_fivetran_end" TIMESTAMP WITH TIME ZONE, "_fivetran_active" BOOLEAN);
INSERT INTO "golden/people%204" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden/people" AS y), CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE)) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE CAST('9999-12-31 23:59:59.999' AS TIMESTAMP WITH TIME ZONE) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END FROM "golden/people" AS t;
COMMENT ON COLUMN "golden/people%204"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "golden/people%204"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "golden/people%204"."size" IS 'weir:INT'; COMMENT ON COLUMN "golden/people%204"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/people%204"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "golden/people%204"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "golden/people%204"."kept" IS 'weir:STRING'; COMMENT ON COLUMN "golden/people%204"."_fivetran_start" IS 'weir:UTC_DATETIME KEY'; COMMENT ON COLUMN "golden/people%204"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/people%204"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: soft delete to history
ALTER TABLE "golden/people%203" ADD COLUMN "_fivetran_start" TIMESTAMP WITH TIME ZONE;
ALTER TABLE "golden/people%203" ADD COLUMN "_fivetran_end" TIMESTAMP WITH TIME ZONE;
ALTER TABLE "golden/people%203" ADD COLUMN "_fivetran_active" BOOLEAN;
UPDATE "golden/people%203" AS t SET "_fivetran_start" = CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden/people%203" AS y), CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE)) END, "_fivetran_end" = CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE CAST('9999-12-31 23:59:59.999' AS TIMESTAMP WITH TIME ZONE) END, "_fivetran_active" = CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END;
ALTER TABLE "golden/people%203" DROP COLUMN "_fivetran_deleted";
COMMENT ON COLUMN "golden/people%203"."_fivetran_start" IS 'weir:UTC_DATETIME KEY'; COMMENT ON COLUMN "golden/people%203"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden/people%203"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: history to soft delete
ALTER TABLE "golden/people%204" ADD COLUMN "_fivetran_deleted" BOOLEAN;
DELETE FROM "golden/people%204" AS t WHERE NOT (NOT EXISTS (SELECT 1 FROM "golden/people%204" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" > t."_fivetran_start"));
UPDATE "golden/people%204" AS t SET "_fivetran_deleted" = CASE WHEN t."_fivetran_active" = TRUE THEN FALSE ELSE TRUE END;
ALTER TABLE "golden/people%204" DROP COLUMN "_fivetran_start";
ALTER TABLE "golden/people%204" DROP COLUMN "_fivetran_end";
ALTER TABLE "golden/people%204" DROP COLUMN "_fivetran_active";
COMMENT ON COLUMN "golden/people%204"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: add a column in history mode
ALTER TABLE "golden/versions" ADD COLUMN "x" INTEGER;
COMMENT ON COLUMN "golden/versions"."x" IS 'weir:INT';
INSERT INTO "golden/versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", t."v", t."w", t."_fivetran_synced", CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE), t."_fivetran_end", t."_fivetran_active", CAST(5 AS INTEGER) FROM "golden/versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND NOT EXISTS (SELECT 1 FROM "golden/versions" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE)) AND NOT EXISTS (SELECT 1 FROM "golden/versions" AS z WHERE z."id" IS NOT DISTINCT FROM t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE));
UPDATE "golden/versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = CAST('2024-01-01 00:01:59.999' AS TIMESTAMP WITH TIME ZONE) WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE);
UPDATE "golden/versions" AS t SET "x" = CAST(5 AS INTEGER) WHERE t."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- migrate: drop a column in history mode
INSERT INTO "golden/versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", CAST(NULL AS VARCHAR), t."w", t."_fivetran_synced", CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE), t."_fivetran_end", t."_fivetran_active", t."x" FROM "golden/versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND t."v" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "golden/versions" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE)) AND NOT EXISTS (SELECT 1 FROM "golden/versions" AS z WHERE z."id" IS NOT DISTINCT FROM t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND z."v" IS NOT NULL);
UPDATE "golden/versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = CAST('2024-01-01 00:01:59.999' AS TIMESTAMP WITH TIME ZONE) WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND t."v" IS NOT NULL;
UPDATE "golden/versions" AS t SET "v" = CAST(NULL AS VARCHAR) WHERE t."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- migrate: drop a table
DROP TABLE "golden/people%203";
COMMIT;

-- alter: key and type, a column left out, a new one
CREATE TABLE "golden/_weir_new_5febfa3518d4930e" ("id" BIGINT, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, "born" DATE, "origin" VARCHAR, "kept" VARCHAR, "age" INTEGER);
INSERT INTO "golden/_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept", "age") SELECT CASE WHEN t."id" IS NOT NULL AND (TRY_CAST(t."id" AS BIGINT) IS NULL OR false) THEN CAST(error('a stored value of column ''id'' has no exact place in the type BIGINT. Drop or correct such values, or re-sync the table.') AS BIGINT) ELSE TRY_CAST(t."id" AS BIGINT) END, t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept", NULL FROM "golden/people" AS t;
DROP TABLE "golden/people";
ALTER TABLE "golden/_weir_new_5febfa3518d4930e" RENAME TO "golden/people";
COMMENT ON COLUMN "golden/people"."id" IS 'weir:LONG KEY'; COMMENT ON COLUMN "golden/people"."na""me" IS 'weir:STRING KEY'; COMMENT ON COLUMN "golden/people"."age" IS 'weir:INT';
COMMIT;

-- alter: columns dropped
CREATE TABLE "golden/_weir_new_5febfa3518d4930e" ("id" INTEGER, "na""me" VARCHAR, "size" SMALLINT, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN);
INSERT INTO "golden/_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT CASE WHEN t."id" IS NOT NULL AND (TRY_CAST(t."id" AS INTEGER) IS NULL OR false) THEN CAST(error('a stored value of column ''id'' has no exact place in the type INTEGER. Drop or correct such values, or re-sync the table.') AS INTEGER) ELSE TRY_CAST(t."id" AS INTEGER) END, t."na""me", CASE WHEN t."size" IS NOT NULL AND (TRY_CAST(t."size" AS SMALLINT) IS NULL OR false) THEN CAST(error('a stored value of column ''size'' has no exact place in the type SMALLINT. Drop or correct such values, or re-sync the table.') AS SMALLINT) ELSE TRY_CAST(t."size" AS SMALLINT) END, t."_fivetran_synced", t."_fivetran_deleted" FROM "golden/people" AS t;
DROP TABLE "golden/people";
ALTER TABLE "golden/_weir_new_5febfa3518d4930e" RENAME TO "golden/people";
COMMENT ON COLUMN "golden/people"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "golden/people"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "golden/people"."size" IS 'weir:SHORT';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden/people";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden/people%204";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden/versions";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden/keyless";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden/every%20type";
COMMIT;
