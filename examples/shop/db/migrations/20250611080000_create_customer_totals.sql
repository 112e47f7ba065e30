-- migrate:up
CREATE VIEW customer_totals AS
SELECT u.id AS user_id, u.name AS customer, count(DISTINCT o.id) AS orders, sum(i.quantity * i.unit_price) AS total
FROM users u
JOIN orders o ON o.user_id = u.id
JOIN order_items i ON i.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY u.id, u.name;

-- migrate:down
DROP VIEW customer_totals;
