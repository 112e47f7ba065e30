CREATE TYPE mood AS ENUM ('sad', 'o''k', 'happy');
CREATE TYPE address AS (street text, number int);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[a-z0-9]+@[a-z]+\.org$');
CREATE DOMAIN percent AS numeric(5,2) NOT NULL CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE SCHEMA "Odd Schema";
CREATE TABLE kinds (id bigserial PRIMARY KEY, a smallint, b int, c bigint, d numeric, e numeric(6,2), f numeric(3,3), g real, h double precision, i money,
    j boolean, k text, l varchar(7), m char(3), n "char", o date, p timestamp, q timestamptz(0), r time, s timetz, t interval, u uuid, v json, w jsonb, x bytea,
    y inet, z cidr, aa macaddr, bb bit(5), cc varbit, dd tsvector, ee int4range, ff tstzrange, gg numrange, hh int[], ii text[][], jj mood, kk mood[],
    ll address, mm point, nn xml, oo name, pp daterange, qq span, rr box, ss polygon, tt pg_lsn, uu tsquery, vv oid);
CREATE TABLE required (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood NOT NULL, moods mood[] NOT NULL, home address NOT NULL, span span NOT NULL,
    mail email NOT NULL UNIQUE, share percent, days daterange NOT NULL, state varchar(3) NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'old')),
    age int NOT NULL CHECK (age BETWEEN 18 AND 99), code char(3) NOT NULL CHECK (code ~ '^[A-Z]{3}$'), token text NOT NULL UNIQUE CHECK (length(token) = 20),
    low int NOT NULL, high int NOT NULL, total int GENERATED ALWAYS AS (low + high) STORED, CHECK (low < high), CHECK (total > 0));
CREATE TABLE accounts (tenant int NOT NULL, id int NOT NULL, name text NOT NULL, parent int, PRIMARY KEY (tenant, id), UNIQUE (tenant, name));
ALTER TABLE accounts ADD FOREIGN KEY (tenant, parent) REFERENCES accounts (tenant, id);
CREATE TABLE people (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant int NOT NULL, account int NOT NULL, boss uuid REFERENCES people, mail text NOT NULL,
    FOREIGN KEY (tenant, account) REFERENCES accounts (tenant, id));
CREATE UNIQUE INDEX people_mail ON people (lower(mail)) WHERE mail <> '';
CREATE TABLE profiles (person uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE, bio text, flag boolean NOT NULL);
CREATE TABLE labels (id smallserial PRIMARY KEY, name varchar(12) NOT NULL UNIQUE);
CREATE TABLE labelled (person uuid NOT NULL REFERENCES people, label smallint NOT NULL REFERENCES labels, since date, PRIMARY KEY (person, label));
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, what text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE regions (id int NOT NULL, region text NOT NULL, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE regions_eu PARTITION OF regions FOR VALUES IN ('de', 'fr');
CREATE TABLE regions_rest PARTITION OF regions DEFAULT;
CREATE TABLE spread (id int PRIMARY KEY, what text) PARTITION BY HASH (id);
CREATE TABLE spread_0 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE spread_1 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE bookings (id serial PRIMARY KEY, during tsrange NOT NULL, EXCLUDE USING gist (during WITH &&));
CREATE TABLE "Odd Schema"."Odd Table" ("Id" int PRIMARY KEY, "select" text, "quo""te" text, lk_row int, g int);
CREATE TABLE keyless (a int, b text);
CREATE TABLE chosen (id int PRIMARY KEY, one int REFERENCES labels (id), other int, CHECK ((one IS NULL) <> (other IS NULL)));
CREATE VIEW known AS SELECT p.id, p.mail, a.name FROM people p JOIN accounts a ON a.tenant = p.tenant AND a.id = p.account;
