-- Run on the first of each month by ops/monthly-report.sh.
SELECT u.name, u.email, count(*) AS orders, max(o.placed_at) AS last_order
FROM users u
JOIN orders o ON o.user_id = u.id
WHERE o.placed_at >= date_trunc('month', now()) - interval '1 month'
GROUP BY u.id, u.name, u.email
ORDER BY orders DESC;
