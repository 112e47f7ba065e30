-- migrate:up
ALTER TABLE users ADD COLUMN locale text NOT NULL DEFAULT 'en';

-- migrate:down
ALTER TABLE users DROP COLUMN locale;
