// A temporary PostgreSQL server, on a socket in a temporary folder.

import { find, Server } from "./program.ts";

/** Makes the server. It is not started yet. Clients find its socket in its folder. */
export async function makePostgreSQL(): Promise<Server> {
  const folders = await binaries();
  const initdb = await find("initdb", folders, "postgresql");
  const postgres = await find("postgres", folders, "postgresql");
  const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  const user = await unprivileged();
  if (user !== null) await Deno.chown(folder, user.uid, user.gid);
  const data = ["-D", `${folder}/data`];
  const make = [...data, "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale"];
  const made = await new Deno.Command(initdb, { args: make, cwd: folder, ...user })
    .output();
  if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));
  const args = [...data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"];
  // SIGINT asks for a fast shutdown, which breaks all connections.
  return new Server(folder, postgres, { args, ...user }, "SIGINT");
}

/**
 * The folders of programs: those of Debian, the newest version first, and the usual one.
 */
async function binaries(): Promise<string[]> {
  const root = "/usr/lib/postgresql";
  const versions: string[] = [];
  try {
    for await (const { name } of Deno.readDir(root)) versions.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  versions.sort((one, other) => Number(other) - Number(one));
  return [...versions.map((version) => `${root}/${version}/bin`), "/usr/bin"];
}

/**
 * The user to run as. PostgreSQL refuses to run as root, so root needs the user of Debian's
 * package.
 */
async function unprivileged(): Promise<{ uid: number; gid: number } | null> {
  if (Deno.uid() !== 0) return null;
  const users = await Deno.readTextFile("/etc/passwd");
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(users) ?? [];
  if (uid === undefined) {
    throw new Error("Cannot run PostgreSQL as root: there must be a user postgres");
  }
  return { uid: Number(uid), gid: Number(gid) };
}
