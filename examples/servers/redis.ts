// A temporary Redis server, on a socket in a temporary folder, which keeps all data in
// memory.

import { find, Server } from "./program.ts";

/**
 * Makes the server. It is not started yet. Clients find its socket, redis.sock, in its
 * folder.
 */
export async function makeRedis(): Promise<Server> {
  const redis = await find("redis-server", ["/usr/bin", "/usr/local/bin"], "redis-server");
  const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  const socket = ["--port", "0", "--unixsocket", `${folder}/redis.sock`];
  const args = [...socket, "--save", "", "--appendonly", "no"];
  return new Server(folder, redis, { args }, "SIGTERM");
}
