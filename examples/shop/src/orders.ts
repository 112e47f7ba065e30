import { query } from "./db";

export interface OrderLine {
  sku: string;
  quantity: number;
  unitPrice: string;
}

export async function placeOrder(userId: number, lines: OrderLine[]): Promise<number> {
  const [order] = await query<{ id: number }>("INSERT INTO orders (user_id) VALUES ($1) RETURNING id", [userId]);
  for (const [index, line] of lines.entries()) {
    await query(
      "INSERT INTO order_items (order_id, line, sku, quantity, unit_price) VALUES ($1, $2, $3, $4, $5)",
      [order.id, index + 1, line.sku, line.quantity, line.unitPrice],
    );
  }
  return order.id;
}

export async function recentOrders(limit: number) {
  return query<{ id: number; status: string; customer: string }>(
    `SELECT o.id, o.status, u.name AS customer
     FROM orders o
     JOIN users u ON u.id = o.user_id
     ORDER BY o.placed_at DESC
     LIMIT $1`,
    [limit],
  );
}
