import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

export async function query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
  const result = await pool.query(sql, values);
  return result.rows as Row[];
}
