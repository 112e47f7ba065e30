// Adds the token, for programs that cannot show one: the conformance suite. Everything else goes through as it is.
//
//     node proxy.mjs SERVER-PORT TOKEN-FILE
//
// Prints the port that it listens on.
import { readFileSync } from "node:fs";
import http from "node:http";

const [port, file] = process.argv.slice(2);
const authorization = `Bearer ${readFileSync(file, "utf8").trim()}`;
const server = http.createServer((request, response) => {
  const own = `${server.address().port}`;
  const headers = { ...request.headers, authorization };
  for (const name of ["host", "origin"]) if (headers[name]) headers[name] = headers[name].replace(own, port);
  const options = { host: "127.0.0.1", port, path: request.url, method: request.method, headers };
  const onward = http.request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
