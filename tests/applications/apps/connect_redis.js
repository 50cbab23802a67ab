// Write a session as express-session and connect-redis do, or read the one of a cookie.
// Prints the key's id, the cookie and the user as JSON.
const http = require("http");
const session = require("express-session");
const { RedisStore } = require("connect-redis");
const { createClient } = require("redis");

async function main() {
  const client = createClient({ url: process.env.REDIS_URL });
  await client.connect();
  const handle = session({
    store: new RedisStore({ client, prefix: "sess:" }),
    secret: "of a test", resave: false, saveUninitialized: false,
    cookie: { maxAge: 3600 * 1000 },
  });
  const server = http.createServer((request, response) => handle(request, response, () => {
    if (request.url === "/write") request.session.user = { name: "Ñata 🐶", visits: 1 };
    response.end(JSON.stringify([request.sessionID, request.session.user || null]));
  }));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const at = `http://127.0.0.1:${server.address().port}`;
  const given = process.argv[2];
  const answer = await fetch(at + (given ? "/read" : "/write"), given ? { headers: { cookie: given } } : {});
  const cookie = given || answer.headers.get("set-cookie").split(";")[0];
  const [id, user] = await answer.json();
  console.log(JSON.stringify({ id, cookie, user }));
  server.close();
  await client.close();
}
main();
