import type { User } from "./users";

export function welcome(user: User): { to: string; subject: string; text: string } {
  return {
    to: user.email,
    subject: `Welcome to the shop, ${user.name}`,
    text: `Hello ${user.name},\n\nyour account is ready.\n`,
  };
}
