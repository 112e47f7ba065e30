-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_user_id_placed_at ON orders (user_id, placed_at);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY orders_user_id_placed_at;
