// A Redis server of one's own, on a socket in a temporary folder, in memory alone.

import { find, Server } from "./program.ts";

/** Makes the server, to be started. Clients find its socket, redis.sock, in its folder. */
export async function makeRedis(): Promise<Server> {
  const redis = await find("redis-server", ["/usr/bin", "/usr/local/bin"], "redis-server");
  const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  const socket = ["--port", "0", "--unixsocket", `${folder}/redis.sock`];
  const args = [...socket, "--save", "", "--appendonly", "no"];
  return new Server(folder, redis, { args }, "SIGTERM");
}
