-- What this destination runs: see tests/sql/golden.c.

-- create 'every type'
CREATE TABLE "golden"."every type" ("id" bigint, "a boolean" boolean, "short" smallint, "int" integer, "decimal" numeric(10,2), "wide" numeric(38,37), "float" real, "double" double precision, "date" date, "time" time without time zone, "naive" timestamp without time zone, "utc" timestamp with time zone, "binary" bytea, "xml" text, "string" text, "json" json, "_fivetran_synced" timestamp with time zone, "_fivetran_deleted" boolean, PRIMARY KEY ("id"));
COMMENT ON COLUMN "golden"."every type"."id" IS 'weir:LONG'; COMMENT ON COLUMN "golden"."every type"."a boolean" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "golden"."every type"."short" IS 'weir:SHORT'; COMMENT ON COLUMN "golden"."every type"."int" IS 'weir:INT'; COMMENT ON COLUMN "golden"."every type"."decimal" IS 'weir:DECIMAL(10,2)'; COMMENT ON COLUMN "golden"."every type"."wide" IS 'weir:DECIMAL(38,37)'; COMMENT ON COLUMN "golden"."every type"."float" IS 'weir:FLOAT'; COMMENT ON COLUMN "golden"."every type"."double" IS 'weir:DOUBLE'; COMMENT ON COLUMN "golden"."every type"."date" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "golden"."every type"."time" IS 'weir:NAIVE_TIME'; COMMENT ON COLUMN "golden"."every type"."naive" IS 'weir:NAIVE_DATETIME'; COMMENT ON COLUMN "golden"."every type"."utc" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."every type"."binary" IS 'weir:BINARY'; COMMENT ON COLUMN "golden"."every type"."xml" IS 'weir:XML'; COMMENT ON COLUMN "golden"."every type"."string" IS 'weir:STRING(64)'; COMMENT ON COLUMN "golden"."every type"."json" IS 'weir:JSON'; COMMENT ON COLUMN "golden"."every type"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."every type"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- create 'people'
CREATE TABLE "golden"."people" ("id" integer, "na""me" text, "size" smallint, "_fivetran_synced" timestamp with time zone, "_fivetran_deleted" boolean, PRIMARY KEY ("id"));
COMMENT ON COLUMN "golden"."people"."id" IS 'weir:INT'; COMMENT ON COLUMN "golden"."people"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "golden"."people"."size" IS 'weir:SHORT'; COMMENT ON COLUMN "golden"."people"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."people"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- create 'versions'
CREATE TABLE "golden"."versions" ("id" integer, "v" text, "w" double precision, "_fivetran_synced" timestamp with time zone, "_fivetran_start" timestamp with time zone, "_fivetran_end" timestamp with time zone, "_fivetran_active" boolean, PRIMARY KEY ("id", "_fivetran_start"));
COMMENT ON COLUMN "golden"."versions"."id" IS 'weir:INT'; COMMENT ON COLUMN "golden"."versions"."v" IS 'weir:STRING'; COMMENT ON COLUMN "golden"."versions"."w" IS 'weir:DOUBLE'; COMMENT ON COLUMN "golden"."versions"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."versions"."_fivetran_start" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."versions"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."versions"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- create 'keyless'
CREATE TABLE "golden"."keyless" ("v" integer, "_fivetran_synced" timestamp with time zone);
COMMENT ON COLUMN "golden"."keyless"."v" IS 'weir:INT'; COMMENT ON COLUMN "golden"."keyless"."_fivetran_synced" IS 'weir:UTC_DATETIME';
COMMIT;

-- write rows of a table without a key
COMMIT;

-- write replace, update and delete rows
INSERT INTO "golden"."people" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted") SELECT s.c0, s.c1, s.c2, s.c3, s.c4 FROM (SELECT * FROM (SELECT s.*, row_number() OVER (PARTITION BY s.c0 ORDER BY s.seq DESC) AS back FROM pg_temp.weir_stage_1 AS s) AS d WHERE d.back = 1) AS s;
UPDATE "golden"."people" AS t SET "na""me" = CASE WHEN s.p1 IS NOT NULL THEN s.c1 ELSE t."na""me" END, "size" = CASE WHEN s.p2 IS NOT NULL THEN s.c2 ELSE t."size" END, "_fivetran_synced" = s.c3, "_fivetran_deleted" = s.c4 FROM (SELECT * FROM (SELECT g.back, g.p1, g.p2, g.c0, nth_value(g.c1, CAST(coalesce(g.p1, 1) AS INTEGER)) OVER w AS c1, nth_value(g.c2, CAST(coalesce(g.p2, 1) AS INTEGER)) OVER w AS c2, g.c3, g.c4 FROM (SELECT o.*, max(CASE WHEN (o.m0 & 2) <> 0 THEN o.rn END) OVER w AS p1, max(CASE WHEN (o.m0 & 4) <> 0 THEN o.rn END) OVER w AS p2 FROM (SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.m0, row_number() OVER (PARTITION BY s.c0 ORDER BY s.seq) AS rn, row_number() OVER (PARTITION BY s.c0 ORDER BY s.seq DESC) AS back FROM pg_temp.weir_stage_2 AS s) AS o WINDOW w AS (PARTITION BY o.c0 ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS g WINDOW w AS (PARTITION BY g.c0 ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS f WHERE f.back = 1) AS s WHERE t."id" = s.c0;
DELETE FROM "golden"."people" AS t USING pg_temp.weir_stage_3 AS s WHERE t."id" = s.c0;
COMMIT;

-- write the first rows of a history
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT s.* FROM pg_temp.weir_stage_1 AS s WHERE s.kind IN (0, 1)) AS s;
COMMIT;

-- write earliest, update and delete rows of a history
DELETE FROM "golden"."versions" AS t USING pg_temp.weir_stage_1 AS s WHERE s.kind = 4 AND t."id" = s.c0 AND t."_fivetran_start" >= s.c4;
UPDATE "golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = s.c4 - INTERVAL '1 millisecond' FROM (SELECT * FROM (SELECT s.c0, s.c4, row_number() OVER (PARTITION BY s.c0 ORDER BY s.c4) AS back FROM pg_temp.weir_stage_1 AS s WHERE s.kind = 4) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_active" = TRUE;
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6 FROM (SELECT * FROM (SELECT g.tier, g.back, g.ground, g.c0, nth_value(g.c1, CAST(coalesce(g.p1, 1) AS INTEGER)) OVER w AS c1, g.c2, g.c3, g.c4, g.c5, g.c6 FROM (SELECT o.*, max(CASE WHEN o.tier < 0 OR (o.m0 = 127) THEN 1 ELSE 0 END) OVER w AS ground, max(CASE WHEN (o.m0 & 2) <> 0 THEN o.rn END) OVER w AS p1 FROM (SELECT a.*, row_number() OVER (PARTITION BY a.c0 ORDER BY a.c4, a.tier, a.seq) AS rn, row_number() OVER (PARTITION BY a.c0, a.c4 ORDER BY a.tier DESC, a.seq DESC) AS back FROM (SELECT b."id" AS c0, b."v" AS c1, b."w" AS c2, b."_fivetran_synced" AS c3, b."_fivetran_start" AS c4, b."_fivetran_end" AS c5, b."_fivetran_active" AS c6, -1 AS m0, -1 AS tier, 0 AS seq FROM "golden"."versions" AS b JOIN (SELECT DISTINCT s.c0, (SELECT max(y."_fivetran_start") FROM "golden"."versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c4) AS base FROM pg_temp.weir_stage_1 AS s WHERE s.kind IN (0, 1) AND NOT (s.m0 = 127)) AS q ON b."id" = q.c0 AND b."_fivetran_start" = q.base UNION ALL SELECT s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6, s.m0, s.kind AS tier, s.seq FROM pg_temp.weir_stage_1 AS s WHERE s.kind IN (0, 1)) AS a) AS o WINDOW w AS (PARTITION BY o.c0 ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS g WINDOW w AS (PARTITION BY g.c0 ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS f WHERE f.tier >= 0 AND f.back = 1 AND f.ground = 1) AS s WHERE TRUE ON CONFLICT ("id", "_fivetran_start") DO UPDATE SET "v" = excluded."v", "w" = excluded."w", "_fivetran_synced" = excluded."_fivetran_synced", "_fivetran_end" = excluded."_fivetran_end", "_fivetran_active" = excluded."_fivetran_active";
UPDATE "golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = s.c5 FROM (SELECT * FROM (SELECT q.c0, q.c5, q.base, row_number() OVER (PARTITION BY q.c0, q.base ORDER BY q.c5) AS back FROM (SELECT s.c0, s.c5, (SELECT max(y."_fivetran_start") FROM "golden"."versions" AS y WHERE y."id" = s.c0 AND y."_fivetran_start" <= s.c5) AS base FROM pg_temp.weir_stage_1 AS s WHERE s.kind = 2) AS q) AS d WHERE d.back = 1) AS s WHERE t."id" = s.c0 AND t."_fivetran_start" = s.base AND (t."_fivetran_active" = TRUE OR t."_fivetran_end" > s.c5);
COMMIT;

-- truncate, hard
DELETE FROM "golden"."people" WHERE "golden"."people"."_fivetran_synced" < CAST('2024-01-01 00:00:00.123456' AS timestamp with time zone);
COMMIT;

-- truncate, soft
UPDATE "golden"."people" SET "_fivetran_deleted" = TRUE WHERE "golden"."people"."_fivetran_synced" < CAST('2024-01-01 00:00:00.123456' AS timestamp with time zone);
COMMIT;

-- alter: a type, a new column
ALTER TABLE "golden"."people" ADD COLUMN "born" date;
ALTER TABLE "golden"."people" ALTER COLUMN "size" TYPE integer USING "size"::integer;
COMMENT ON COLUMN "golden"."people"."size" IS 'weir:INT'; COMMENT ON COLUMN "golden"."people"."born" IS 'weir:NAIVE_DATE';
COMMIT;

-- migrate: add a column with a default value
ALTER TABLE "golden"."people" ADD COLUMN "origin" text;
COMMENT ON COLUMN "golden"."people"."origin" IS 'weir:STRING';
UPDATE "golden"."people" SET "origin" = 'it''s'::text;
COMMIT;

-- migrate: update a column
UPDATE "golden"."people" SET "origin" = NULL::text;
COMMIT;

-- migrate: copy a column
ALTER TABLE "golden"."people" ADD COLUMN "copy" text;
UPDATE "golden"."people" AS t SET "copy" = t."origin";
COMMENT ON COLUMN "golden"."people"."copy" IS 'weir:STRING';
COMMIT;

-- migrate: rename a column
ALTER TABLE "golden"."people" RENAME COLUMN "copy" TO "kept";
COMMIT;

-- migrate: copy a table
CREATE TABLE "golden"."people 2" ("id" integer, "na""me" text, "size" integer, "_fivetran_synced" timestamp with time zone, "_fivetran_deleted" boolean, "born" date, "origin" text, "kept" text, PRIMARY KEY ("id"));
INSERT INTO "golden"."people 2" ("id", "na""me", "size", "_fivetran_synced", "_fivetran_deleted", "born", "origin", "kept") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."_fivetran_deleted", t."born", t."origin", t."kept" FROM "golden"."people" AS t;
COMMENT ON COLUMN "golden"."people 2"."id" IS 'weir:INT'; COMMENT ON COLUMN "golden"."people 2"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "golden"."people 2"."size" IS 'weir:INT'; COMMENT ON COLUMN "golden"."people 2"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."people 2"."_fivetran_deleted" IS 'weir:BOOLEAN'; COMMENT ON COLUMN "golden"."people 2"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "golden"."people 2"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "golden"."people 2"."kept" IS 'weir:STRING';
COMMIT;

-- migrate: rename a table
ALTER TABLE "golden"."people 2" RENAME TO "people 3";
COMMIT;

-- migrate: copy a table to history mode
CREATE TABLE "golden"."people 4" ("id" integer, "na""me" text, "size" integer, "_fivetran_synced" timestamp with time zone, "born" date, "origin" text, "kept" text, "_fivetran_start" timestamp with time zone, "_fivetran_end" timestamp with time zone, "_fivetran_active" boolean, PRIMARY KEY ("id", "_fivetran_start"));
INSERT INTO "golden"."people 4" ("id", "na""me", "size", "_fivetran_synced", "born", "origin", "kept", "_fivetran_start", "_fivetran_end", "_fivetran_active") SELECT t."id", t."na""me", t."size", t."_fivetran_synced", t."born", t."origin", t."kept", CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS timestamp with time zone) ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden"."people" AS y), CAST('1970-01-01 00:00:00' AS timestamp with time zone)) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS timestamp with time zone) ELSE CAST('9999-12-31 23:59:59.999' AS timestamp with time zone) END, CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END FROM "golden"."people" AS t;
COMMENT ON COLUMN "golden"."people 4"."id" IS 'weir:INT'; COMMENT ON COLUMN "golden"."people 4"."na""me" IS 'weir:STRING'; COMMENT ON COLUMN "golden"."people 4"."size" IS 'weir:INT'; COMMENT ON COLUMN "golden"."people 4"."_fivetran_synced" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."people 4"."born" IS 'weir:NAIVE_DATE'; COMMENT ON COLUMN "golden"."people 4"."origin" IS 'weir:STRING'; COMMENT ON COLUMN "golden"."people 4"."kept" IS 'weir:STRING'; COMMENT ON COLUMN "golden"."people 4"."_fivetran_start" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."people 4"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."people 4"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: soft delete to history
ALTER TABLE "golden"."people 3" DROP CONSTRAINT "people 2_pkey";
ALTER TABLE "golden"."people 3" ADD COLUMN "_fivetran_start" timestamp with time zone;
ALTER TABLE "golden"."people 3" ADD COLUMN "_fivetran_end" timestamp with time zone;
ALTER TABLE "golden"."people 3" ADD COLUMN "_fivetran_active" boolean;
UPDATE "golden"."people 3" AS t SET "_fivetran_start" = CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS timestamp with time zone) ELSE coalesce((SELECT max(y."_fivetran_synced") FROM "golden"."people 3" AS y), CAST('1970-01-01 00:00:00' AS timestamp with time zone)) END, "_fivetran_end" = CASE WHEN t."_fivetran_deleted" = TRUE THEN CAST('1970-01-01 00:00:00' AS timestamp with time zone) ELSE CAST('9999-12-31 23:59:59.999' AS timestamp with time zone) END, "_fivetran_active" = CASE WHEN t."_fivetran_deleted" = TRUE THEN FALSE ELSE TRUE END;
ALTER TABLE "golden"."people 3" DROP COLUMN "_fivetran_deleted";
ALTER TABLE "golden"."people 3" ADD PRIMARY KEY ("id", "_fivetran_start");
COMMENT ON COLUMN "golden"."people 3"."_fivetran_start" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."people 3"."_fivetran_end" IS 'weir:UTC_DATETIME'; COMMENT ON COLUMN "golden"."people 3"."_fivetran_active" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: history to soft delete
ALTER TABLE "golden"."people 4" DROP CONSTRAINT "people 4_pkey";
ALTER TABLE "golden"."people 4" ADD COLUMN "_fivetran_deleted" boolean;
DELETE FROM "golden"."people 4" AS t WHERE NOT (NOT EXISTS (SELECT 1 FROM "golden"."people 4" AS y WHERE y."id" = t."id" AND y."_fivetran_start" > t."_fivetran_start"));
UPDATE "golden"."people 4" AS t SET "_fivetran_deleted" = CASE WHEN t."_fivetran_active" = TRUE THEN FALSE ELSE TRUE END;
ALTER TABLE "golden"."people 4" DROP COLUMN "_fivetran_start";
ALTER TABLE "golden"."people 4" DROP COLUMN "_fivetran_end";
ALTER TABLE "golden"."people 4" DROP COLUMN "_fivetran_active";
ALTER TABLE "golden"."people 4" ADD PRIMARY KEY ("id");
COMMENT ON COLUMN "golden"."people 4"."_fivetran_deleted" IS 'weir:BOOLEAN';
COMMIT;

-- migrate: add a column in history mode
ALTER TABLE "golden"."versions" ADD COLUMN "x" integer;
COMMENT ON COLUMN "golden"."versions"."x" IS 'weir:INT';
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", t."v", t."w", t."_fivetran_synced", CAST('2024-01-01 00:02:00' AS timestamp with time zone), t."_fivetran_end", t."_fivetran_active", 5 FROM "golden"."versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS timestamp with time zone) AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS y WHERE y."id" = t."id" AND y."_fivetran_start" = CAST('2024-01-01 00:02:00' AS timestamp with time zone)) AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS z WHERE z."id" = t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < CAST('2024-01-01 00:02:00' AS timestamp with time zone));
UPDATE "golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = CAST('2024-01-01 00:01:59.999' AS timestamp with time zone) WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS timestamp with time zone);
UPDATE "golden"."versions" AS t SET "x" = 5 WHERE t."_fivetran_start" = CAST('2024-01-01 00:02:00' AS timestamp with time zone);
COMMIT;

-- migrate: drop a column in history mode
INSERT INTO "golden"."versions" ("id", "v", "w", "_fivetran_synced", "_fivetran_start", "_fivetran_end", "_fivetran_active", "x") SELECT t."id", NULL::text, t."w", t."_fivetran_synced", CAST('2024-01-01 00:02:00' AS timestamp with time zone), t."_fivetran_end", t."_fivetran_active", t."x" FROM "golden"."versions" AS t WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS timestamp with time zone) AND t."v" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS y WHERE y."id" = t."id" AND y."_fivetran_start" = CAST('2024-01-01 00:02:00' AS timestamp with time zone)) AND NOT EXISTS (SELECT 1 FROM "golden"."versions" AS z WHERE z."id" = t."id" AND z."_fivetran_start" > t."_fivetran_start" AND z."_fivetran_active" = TRUE AND z."_fivetran_start" < CAST('2024-01-01 00:02:00' AS timestamp with time zone) AND z."v" IS NOT NULL);
UPDATE "golden"."versions" AS t SET "_fivetran_active" = FALSE, "_fivetran_end" = CAST('2024-01-01 00:01:59.999' AS timestamp with time zone) WHERE t."_fivetran_active" = TRUE AND t."_fivetran_start" < CAST('2024-01-01 00:02:00' AS timestamp with time zone) AND t."v" IS NOT NULL;
UPDATE "golden"."versions" AS t SET "v" = NULL::text WHERE t."_fivetran_start" = CAST('2024-01-01 00:02:00' AS timestamp with time zone);
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."people 3";
COMMIT;

-- alter: key and type, a column left out, a new one
ALTER TABLE "golden"."people" DROP CONSTRAINT "people_pkey";
ALTER TABLE "golden"."people" ADD COLUMN "age" integer;
ALTER TABLE "golden"."people" ALTER COLUMN "id" TYPE bigint USING "id"::bigint;
ALTER TABLE "golden"."people" ADD PRIMARY KEY ("id", "na""me");
COMMENT ON COLUMN "golden"."people"."id" IS 'weir:LONG'; COMMENT ON COLUMN "golden"."people"."age" IS 'weir:INT';
COMMIT;

-- alter: columns dropped
ALTER TABLE "golden"."people" DROP CONSTRAINT "people_pkey";
ALTER TABLE "golden"."people" ALTER COLUMN "na""me" DROP NOT NULL;
ALTER TABLE "golden"."people" DROP COLUMN "born";
ALTER TABLE "golden"."people" DROP COLUMN "origin";
ALTER TABLE "golden"."people" DROP COLUMN "kept";
ALTER TABLE "golden"."people" DROP COLUMN "age";
ALTER TABLE "golden"."people" ALTER COLUMN "id" TYPE integer USING "id"::integer;
ALTER TABLE "golden"."people" ALTER COLUMN "size" TYPE smallint USING "size"::smallint;
ALTER TABLE "golden"."people" ADD PRIMARY KEY ("id");
COMMENT ON COLUMN "golden"."people"."id" IS 'weir:INT'; COMMENT ON COLUMN "golden"."people"."size" IS 'weir:SHORT';
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."people";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."people 4";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."versions";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."keyless";
COMMIT;

-- migrate: drop a table
DROP TABLE "golden"."every type";
COMMIT;
