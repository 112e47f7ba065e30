import { query } from "./db";

export interface User {
  id: number;
  email: string;
  name: string;
  locale: string;
}

export async function createUser(email: string, name: string): Promise<User> {
  const [user] = await query<User>(
    `INSERT INTO users (email, name)
     VALUES ($1, $2)
     RETURNING id, email, name, locale`,
    [email.toLowerCase(), name],
  );
  return user;
}

export async function findByEmail(email: string): Promise<User | undefined> {
  const [user] = await query<User>("SELECT id, email, name, locale FROM users WHERE email = $1", [email]);
  return user;
}

export async function renameUser(id: number, name: string): Promise<void> {
  await query("UPDATE users SET name = $1 WHERE id = $2", [name, id]);
}

export async function searchUsers(prefix: string): Promise<User[]> {
  return query<User>(
    "SELECT id, email, name, locale FROM users " +
      "WHERE lower(name) LIKE lower($1) || '%' ORDER BY name LIMIT 50",
    [prefix],
  );
}
