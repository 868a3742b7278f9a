-- What this destination runs: see tests/sql/golden.c.

-- create 'every type'
CREATE TABLE "warehouse"."golden"."every type" ("id" BIGINT, "a boolean" BOOLEAN, "short" SMALLINT, "int" INTEGER, "decimal" DECIMAL(10,2), "wide" DECIMAL(38,37), "float" FLOAT, "double" DOUBLE, "date" DATE, "time" TIME, "naive" TIMESTAMP, "utc" TIMESTAMP WITH TIME ZONE, "binary" BLOB, "xml" VARCHAR, "string" VARCHAR, "json" JSON, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN);
COMMENT ON COLUMN "warehouse"."golden"."every type"."id" IS 'weir:LONG KEY'; COMMENT ON COLUMN "warehouse"."golden"."every type"."a boolean" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "warehouse"."golden"."every type"."short" IS 'weir:SHORT'; COMMENT ON COLUMN "warehouse"."golden"."every type"."int" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."every type"."decimal" IS 'weir:DECIMAL(10,2)'; COMMENT ON COLUMN "warehouse"."golden"."every type"."wide" IS 'weir:DECIMAL(38,37)'; COMMENT ON COLUMN "warehouse"."golden"."every type"."float" IS 'weir:FLOAT'; COMMENT ON COLUMN "warehouse"."golden"."every type"."double" IS 'weir:DOUBLE'; COMMENT ON COLUMN "warehouse"."golden"."every type"."date" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "warehouse"."golden"."every type"."time" IS 'weir:NAIVE_TIME'; COMMENT ON COLUMN "warehouse"."golden"."every type"."naive" IS 'weir:NAIVE_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."every type"."utc" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."every type"."binary" IS 'weir:BINARY'; COMMENT ON COLUMN "warehouse"."golden"."every type"."xml" IS 'weir:XML'; COMMENT ON COLUMN "warehouse"."golden"."every type"."string" IS 'weir:STRING(64)'; COMMENT ON COLUMN "warehouse"."golden"."every type"."json" IS 'weir:JSON'; COMMENT ON COLUMN "warehouse"."golden"."every type"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."every type"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- create 'people'
CREATE TABLE "warehouse"."golden"."people" ("id" INTEGER, "na""me" VARCHAR, "size" SMALLINT, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN);
COMMENT ON COLUMN "warehouse"."golden"."people"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people"."size" IS 'weir:SHORT'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- create 'versions'
CREATE TABLE "warehouse"."golden"."versions" ("id" INTEGER, "v" VARCHAR, "w" DOUBLE, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_start" TIMESTAMP WITH TIME ZONE, "_fivetran_end" TIMESTAMP WITH TIME ZONE, "_fivetran_active" BOOLEAN);
COMMENT ON COLUMN "warehouse"."golden"."versions"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."versions"."v" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."versions"."w" IS 'weir:DOUBLE'; COMMENT ON COLUMN "warehouse"."golden"."versions"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."versions"."_fivetran_start" IS 'weir:UTC_DATETIME KEY'; COMMENT ON COLUMN "warehouse"."golden"."versions"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."versions"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- create 'keyless'
CREATE TABLE "warehouse"."golden"."keyless" ("v" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE);
COMMENT ON COLUMN "warehouse"."golden"."keyless"."v" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."keyless"."_fivetran_synced" IS 'weir:UTC_DATETIME';
COMMIT;

-- write rows of a table without a key
INSERT INTO "warehouse"."golden"."keyless" ("v", "_fivetran_synced") SELECT s.c0, s.c1 FROM weir_stage(1) AS s;
COMMIT;

-- write replace, update and delete rows
INSERT INTO "warehouse"."golden"."people" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT s.c0, s.c1, s.c2, s.c3, s.c4 FROM weir_stage(2) AS s;
UPDATE "warehouse"."golden"."people" AS t SET "na""me" = CASE WHEN (s.m0 & 2) <> 0 THEN s.c1 ELSE t."na""me" END, "size" = CASE WHEN (s.m0 & 4) <> 0 THEN s.c2 ELSE t."size" END, "_fivetran_synced" = s.c3, "_fivetran_deleted" = s.c4 FROM weir_stage(3) AS s WHERE t."id" = s.c0;
DELETE FROM "warehouse"."golden"."people" AS t USING weir_stage(2) AS s WHERE t."id" = s.c0;
COMMIT;

-- write the first rows of a history
INSERT INTO "warehouse"."golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT s.* FROM weir_stage(4) AS s WHERE s.kind IN (0, 1)) AS s;
COMMIT;

-- write earliest, update and delete rows of a history
DELETE FROM "warehouse"."golden"."versions" AS t USING weir_stage(5) AS s WHERE s.kind = 4 AND t."id" = s.c0 AND t."_fivetran_start" >= s.c4;
UPDATE "warehouse"."golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = s.c4 - INTERVAL '1 millisecond' FROM (SELECT * FROM (SELECT s.c0, s.c4, row_number() OVER (PARTITION BY s.c0 ORDER BY s.c4) AS back FROM weir_stage(5) AS s WHERE s.kind = 4) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_active" = TRUE;
DROP TABLE IF EXISTS temp."_weir_versions_1_0";
CREATE TEMP TABLE "_weir_versions_1_0" AS SELECT * FROM (SELECT g.tier, g.back, g.ground, g.c0, nth_value(g.c1, CAST(coalesce(g.p1, 1) AS INTEGER)) OVER w AS c1, g.c2, g.c3, g.c4, g.c5, g.c6 FROM (SELECT o.*, max(CASE WHEN o.tier < 0 OR (o.m0 = 127) THEN 1 ELSE 0 END) OVER w AS ground, max(CASE WHEN (o.m0 & 2) <> 0 THEN o.rn END) OVER w AS p1 FROM (SELECT a.*, row_number() OVER (PARTITION BY a.c0 ORDER BY a.c4, a.tier, a.seq) AS rn, row_number() OVER (PARTITION BY a.c0, a.c4 ORDER BY a.tier DESC, a.seq DESC) AS back FROM (SELECT b."id" AS c0, b."v" AS c1, b."w" AS c2, b."_fivetran_synced" AS c3, b."_fivetran_start" AS c4, b."_fivetran_end" AS c5, b."_fivetran_active" AS c6, -1 AS m0, -1 AS tier, 0 AS seq FROM "warehouse"."golden"."versions" AS b JOIN (SELECT DISTINCT s.c0, (SELECT max(y."_fivetran_start") FROM "warehouse"."golden"."versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c4) AS base FROM weir_stage(5) AS s WHERE s.kind IN (0, 1) AND NOT (s.m0 = 127)) AS q ON b."id" = q.c0 AND b."_fivetran_start" = q.base UNION ALL SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6, s.m0, s.kind AS tier, s.seq FROM weir_stage(5) AS s WHERE s.kind IN (0, 1)) AS a) AS o WINDOW w AS (PARTITION BY o.c0 ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS g WINDOW w AS (PARTITION BY g.c0 ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS f WHERE f.tier >= 0 AND f.back = 1 AND f.ground = 1;
DELETE FROM "warehouse"."golden"."versions" AS t USING (SELECT v0.c0, v0.c1, v0.c2, v0.c3, v0.c4, v0.c5, v0.c6 FROM temp."_weir_versions_1_0" AS v0) AS s WHERE t."id" = s.c0 AND t."_fivetran_start" = s.c4;
INSERT INTO "warehouse"."golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT v0.c0, v0.c1, v0.c2, v0.c3, v0.c4, v0.c5, v0.c6 FROM temp."_weir_versions_1_0" AS v0) AS s;
DROP TABLE IF EXISTS temp."_weir_versions_1_0";
UPDATE "warehouse"."golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = s.c5 FROM (SELECT * FROM (SELECT q.c0, q.c5, q.base, row_number() OVER (PARTITION BY q.c0, q.base ORDER BY q.c5) AS back FROM (SELECT s.c0, s.c5, (SELECT max(y."_fivetran_start") FROM "warehouse"."golden"."versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c5) AS base FROM weir_stage(5) AS s WHERE s.kind = 2) AS q) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_start" = s.base AND (t."_fivetran_active" = TRUE OR t."_fivetran_end" > s.c5);
COMMIT;

-- truncate, hard
DELETE FROM "warehouse"."golden"."people" WHERE "warehouse"."golden"."people"."_fivetran_synced" <= CAST('2024-01-01 00:00:00.123456' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- truncate, soft
UPDATE "warehouse"."golden"."people" SET "_fivetran_deleted" = TRUE WHERE "warehouse"."golden"."people"."_fivetran_synced" <= CAST('2024-01-01 00:00:00.123456' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- alter: a type, a new column
CREATE TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, "born" DATE);
INSERT INTO "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born") SELECT t."id", t."na""me", CASE WHEN t."size" IS NOT NULL AND (TRY_CAST(t."size" AS INTEGER) IS NULL OR false) THEN CAST(error('a stored value of column ''size'' has no exact place in the type INTEGER. Drop or correct such values, or re-sync the table.') AS INTEGER) ELSE TRY_CAST(t."size" AS INTEGER) END, t."_fivetran_synced", t."_fivetran_deleted", NULL FROM "warehouse"."golden"."people" AS t;
DROP TABLE "warehouse"."golden"."people";
ALTER TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" RENAME TO "people";
COMMENT ON COLUMN "warehouse"."golden"."people"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people"."size" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_deleted" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "warehouse"."golden"."people"."born" IS 'weir:NAIVE_DATE';
COMMIT;

-- migrate: add a column with a default value
ALTER TABLE "warehouse"."golden"."people" ADD COLUMN "origin" VARCHAR;
COMMENT ON COLUMN "warehouse"."golden"."people"."origin" IS 'weir:STRING';
UPDATE "warehouse"."golden"."people" SET "origin" = ('it''s');
COMMIT;

-- migrate: update a column
UPDATE "warehouse"."golden"."people" SET "origin" = CAST(NULL AS VARCHAR);
COMMIT;

-- migrate: copy a column
CREATE TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, "born" DATE, "origin" VARCHAR, "copy" VARCHAR);
INSERT INTO "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "copy") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."origin" FROM "warehouse"."golden"."people" AS t;
DROP TABLE "warehouse"."golden"."people";
ALTER TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" RENAME TO "people";
COMMENT ON COLUMN "warehouse"."golden"."people"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people"."size" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_deleted" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "warehouse"."golden"."people"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "warehouse"."golden"."people"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people"."copy" IS 'weir:STRING';
COMMIT;

-- migrate: rename a column
ALTER TABLE "warehouse"."golden"."people" RENAME COLUMN "copy" TO "kept";
COMMIT;

-- migrate: copy a table
CREATE TABLE "warehouse"."golden"."people 2" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, "born" DATE, "origin" VARCHAR, "kept" VARCHAR);
INSERT INTO "warehouse"."golden"."people 2" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept" FROM "warehouse"."golden"."people" AS t;
COMMENT ON COLUMN "warehouse"."golden"."people 2"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people 2"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 2"."size" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."people 2"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people 2"."_fivetran_deleted" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "warehouse"."golden"."people 2"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "warehouse"."golden"."people 2"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 2"."kept" IS 'weir:STRING';
COMMIT;

-- migrate: rename a table
ALTER TABLE "warehouse"."golden"."people 2" RENAME TO "people 3";
COMMIT;

-- migrate: copy a table to history mode
CREATE TABLE "warehouse"."golden"."people 4" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "born" DATE, "origin" VARCHAR, "kept" VARCHAR, "_fivetran_start" TIMESTAMP WITH TIME ZONE, "_fivetran_end" TIMESTAMP WITH TIME ZONE, "_fivetran_active" BOOLEAN);
INSERT INTO "warehouse"."golden"."people 4" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "warehouse"."golden"."people" AS y), CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE)) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE CAST('9999-12-31 23:59:59.999' AS TIMESTAMP WITH TIME ZONE) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END FROM "warehouse"."golden"."people" AS t;
COMMENT ON COLUMN "warehouse"."golden"."people 4"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."size" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."kept" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."_fivetran_start" IS 'weir:UTC_DATETIME KEY'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: soft delete to history
CREATE TABLE "warehouse"."golden"."_weir_new_fc409c2e9ee93f7b" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "born" DATE, "origin" VARCHAR, "kept" VARCHAR, "_fivetran_start" TIMESTAMP WITH TIME ZONE, "_fivetran_end" TIMESTAMP WITH TIME ZONE, "_fivetran_active" BOOLEAN);
INSERT INTO "warehouse"."golden"."_weir_new_fc409c2e9ee93f7b" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "warehouse"."golden"."people 3" AS y), CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE)) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE) ELSE CAST('9999-12-31 23:59:59.999' AS TIMESTAMP WITH TIME ZONE) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END FROM "warehouse"."golden"."people 3" AS t;
DROP TABLE "warehouse"."golden"."people 3";
ALTER TABLE "warehouse"."golden"."_weir_new_fc409c2e9ee93f7b" RENAME TO "people 3";
COMMENT ON COLUMN "warehouse"."golden"."people 3"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."size" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."kept" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."_fivetran_start" IS 'weir:UTC_DATETIME KEY'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people 3"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: history to soft delete
CREATE TABLE "warehouse"."golden"."_weir_new_fc40a12e9ee947fa" ("id" INTEGER, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "born" DATE, "origin" VARCHAR, "kept" VARCHAR, "_fivetran_deleted" BOOLEAN);
INSERT INTO "warehouse"."golden"."_weir_new_fc40a12e9ee947fa" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_deleted") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_active" = TRUE THEN FALSE ELSE TRUE END FROM "warehouse"."golden"."people 4" AS t WHERE NOT EXISTS (SELECT 1 FROM "warehouse"."golden"."people 4" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" > t."_fivetran_start");
DROP TABLE "warehouse"."golden"."people 4";
ALTER TABLE "warehouse"."golden"."_weir_new_fc40a12e9ee947fa" RENAME TO "people 4";
COMMENT ON COLUMN "warehouse"."golden"."people 4"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."size" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."kept" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people 4"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: add a column in history mode
ALTER TABLE "warehouse"."golden"."versions" ADD COLUMN "x" INTEGER;
COMMENT ON COLUMN "warehouse"."golden"."versions"."x" IS 'weir:INT';
INSERT INTO "warehouse"."golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", t."v", t."w", t."_fivetran_synced", CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE), t."_fivetran_end", t."_fivetran_active", CAST(5 AS INTEGER) FROM "warehouse"."golden"."versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND NOT EXISTS (SELECT 1 FROM "warehouse"."golden"."versions" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE)) AND NOT EXISTS (SELECT 1 FROM "warehouse"."golden"."versions" AS z WHERE z."id" IS NOT DISTINCT FROM t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE));
UPDATE "warehouse"."golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = CAST('2024-01-01 00:01:59.999' AS TIMESTAMP WITH TIME ZONE) WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE);
UPDATE "warehouse"."golden"."versions" AS t SET "x" = CAST(5 AS INTEGER) WHERE t."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- migrate: drop a column in history mode
INSERT INTO "warehouse"."golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", CAST(NULL AS VARCHAR), t."w", t."_fivetran_synced", CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE), t."_fivetran_end", t."_fivetran_active", t."x" FROM "warehouse"."golden"."versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND t."v" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "warehouse"."golden"."versions" AS y WHERE y."id" IS NOT DISTINCT FROM t."id" AND y."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE)) AND NOT EXISTS (SELECT 1 FROM "warehouse"."golden"."versions" AS z WHERE z."id" IS NOT DISTINCT FROM t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND z."v" IS NOT NULL);
UPDATE "warehouse"."golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = CAST('2024-01-01 00:01:59.999' AS TIMESTAMP WITH TIME ZONE) WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE) AND t."v" IS NOT NULL;
UPDATE "warehouse"."golden"."versions" AS t SET "v" = CAST(NULL AS VARCHAR) WHERE t."_fivetran_start" = CAST('2024-01-01 00:02:00' AS TIMESTAMP WITH TIME ZONE);
COMMIT;

-- migrate: drop a table
DROP TABLE "warehouse"."golden"."people 3";
COMMIT;

-- alter: key and type, a column left out, a new one
CREATE TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id" BIGINT, "na""me" VARCHAR, "size" INTEGER, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN, "born" DATE, "origin" VARCHAR, "kept" VARCHAR, "age" INTEGER);
INSERT INTO "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept", "age") SELECT CASE WHEN t."id" IS NOT NULL AND (TRY_CAST(t."id" AS BIGINT) IS NULL OR false) THEN CAST(error('a stored value of column ''id'' has no exact place in the type BIGINT. Drop or correct such values, or re-sync the table.') AS BIGINT) ELSE TRY_CAST(t."id" AS BIGINT) END, t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept", NULL FROM "warehouse"."golden"."people" AS t;
DROP TABLE "warehouse"."golden"."people";
ALTER TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" RENAME TO "people";
COMMENT ON COLUMN "warehouse"."golden"."people"."id" IS 'weir:LONG KEY'; COMMENT ON COLUMN "warehouse"."golden"."people"."na""me" IS 'weir:STRING KEY'; COMMENT ON COLUMN "warehouse"."golden"."people"."size" IS 'weir:INT'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_deleted" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "warehouse"."golden"."people"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "warehouse"."golden"."people"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people"."kept" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people"."age" IS 'weir:INT';
COMMIT;

-- alter: columns dropped
CREATE TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id" INTEGER, "na""me" VARCHAR, "size" SMALLINT, "_fivetran_synced" TIMESTAMP WITH TIME ZONE, "_fivetran_deleted" BOOLEAN);
INSERT INTO "warehouse"."golden"."_weir_new_5febfa3518d4930e" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT CASE WHEN t."id" IS NOT NULL AND (TRY_CAST(t."id" AS INTEGER) IS NULL OR false) THEN CAST(error('a stored value of column ''id'' has no exact place in the type INTEGER. Drop or correct such values, or re-sync the table.') AS INTEGER) ELSE TRY_CAST(t."id" AS INTEGER) END, t."na""me", CASE WHEN t."size" IS NOT NULL AND (TRY_CAST(t."size" AS SMALLINT) IS NULL OR false) THEN CAST(error('a stored value of column ''size'' has no exact place in the type SMALLINT. Drop or correct such values, or re-sync the table.') AS SMALLINT) ELSE TRY_CAST(t."size" AS SMALLINT) END, t."_fivetran_synced", t."_fivetran_deleted" FROM "warehouse"."golden"."people" AS t;
DROP TABLE "warehouse"."golden"."people";
ALTER TABLE "warehouse"."golden"."_weir_new_5febfa3518d4930e" RENAME TO "people";
COMMENT ON COLUMN "warehouse"."golden"."people"."id" IS 'weir:INT KEY'; COMMENT ON COLUMN "warehouse"."golden"."people"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "warehouse"."golden"."people"."size" IS 'weir:SHORT'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "warehouse"."golden"."people"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: drop a table
DROP TABLE "warehouse"."golden"."people";
COMMIT;

-- migrate: drop a table
DROP TABLE "warehouse"."golden"."people 4";
COMMIT;

-- migrate: drop a table
DROP TABLE "warehouse"."golden"."versions";
COMMIT;

-- migrate: drop a table
DROP TABLE "warehouse"."golden"."keyless";
COMMIT;

-- migrate: drop a table
DROP TABLE "warehouse"."golden"."every type";
COMMIT;
