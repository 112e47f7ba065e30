import express from "express";
import { welcome } from "./mail";
import { placeOrder, recentOrders } from "./orders";
import { createUser, renameUser, searchUsers } from "./users";

const app = express();
app.use(express.json());

app.post("/users", async (request, response) => {
  const user = await createUser(request.body.email, request.body.name);
  console.log(welcome(user).subject);
  response.status(201).json(user);
});

app.put("/users/:id/name", async (request, response) => {
  await renameUser(Number(request.params.id), request.body.name);
  response.sendStatus(204);
});

app.get("/users", async (request, response) => {
  response.json(await searchUsers(String(request.query.prefix ?? "")));
});

app.post("/users/:id/orders", async (request, response) => {
  response.status(201).json({ id: await placeOrder(Number(request.params.id), request.body.lines) });
});

app.get("/orders", async (_request, response) => {
  response.json(await recentOrders(20));
});

app.listen(8080);
