// PostgreSQL by npm:pg, through a restart of the server: what fails is tried again on another
// connection, and only if it is safe to.
// deno run -A examples/postgresql.ts

import { Backoff, exponential } from "@asyncbackoff/asyncbackoff";
// @ts-types="npm:@types/pg@^8"
import pg from "npm:pg@^8";

/** How long an attempt may take: connecting, and all that is done on the connection. */
const ATTEMPT = 1000;

/**
 * What says "not now": the server stops (57P01, 57P02), starts (57P03) or is full (53300), the
 * connection broke (class 08), the transaction lost a race (40001, 40P01); or the platform
 * found no server (on a socket: ENOENT); or pg, without a code, that the connection broke.
 */
const CODE =
  /^(?:57P0[123]|53300|08...|40001|40P01|E(?:NOENT|CONN(?:REFUSED|RESET)|PIPE))$/;
const MESSAGE = /^Connection terminated|^timeout exceeded|is not queryable$/;

/** What the server says when it has rolled back at COMMIT: a race lost, a constraint. */
const REFUSED = /^(?:40(?!003)|23)...$/; // 40003 says that it does not know

function isTransient(error: unknown): boolean {
  const { name, code = "", message = "" } = error as Error & { code?: string };
  return name === "TimeoutError" || CODE.test(code) || MESSAGE.test(message);
}

/** COMMIT was sent, and the answer never came: nobody knows whether it is done. */
class CommitUnknown extends Error {
  override name = "CommitUnknown";
}

class Database {
  readonly #pool: pg.Pool;
  readonly #backoff = new Backoff({
    attemptTimeout: ATTEMPT,
    deadline: 30_000,
    pause: exponential({ initial: 50, max: 1000 }),
    exceptions: [Error],
    giveup: (error) => !isTransient(error),
  });
  readonly statistic = this.#backoff.statistic;

  constructor(config: pg.PoolConfig) {
    // The server stops too, a little after us, so that nothing goes on in secret.
    const limits = { connectionTimeoutMillis: ATTEMPT, statement_timeout: 2 * ATTEMPT };
    this.#pool = new pg.Pool({ ...limits, ...config });
    // A connection that breaks while no query waits on it says so by an event, which ends the
    // process if nobody listens: an idle one to its pool, any other one to its client.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** One statement, possibly more than once: it must be one that reads, or is idempotent. */
  query(text: string, values: unknown[] = []): Promise<pg.QueryResult> {
    return this.#onClient((client) => client.query(text, values));
  }

  /**
   * All that `work` does, or nothing, and once: what broke before its COMMIT was not done, and
   * is tried again as a whole; what broke at it is not. So `work` has no effects elsewhere.
   */
  async transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let isCommitting = false;
    const unknown = (cause: unknown) => new CommitUnknown("No answer to COMMIT", { cause });
    try {
      return await this.#onClient(async (client, signal) => {
        if (isCommitting) throw unknown("timeout"); // the attempt before was cut there
        await client.query("BEGIN");
        const result = await work(client);
        signal.throwIfAborted(); // it was cut in `work`, and another attempt has begun
        isCommitting = true; // for good, unless COMMIT is refused: it may end after it was cut
        await client.query("COMMIT").catch((error) => {
          isCommitting = !REFUSED.test(error.code);
          throw isCommitting ? unknown(error) : error;
        });
        return result;
      });
    } catch (error) { // also of the deadline, which lets an earlier error out
      throw isCommitting && !(error instanceof CommitUnknown) ? unknown(error) : error;
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  #onClient<T>(work: (client: pg.PoolClient, signal: AbortSignal) => Promise<T>) {
    return this.#backoff.execute(async ({ signal }) => {
      const client = await this.#pool.connect();
      const cut = () => void client.end(); // pg knows no signals: the connection goes
      signal.addEventListener("abort", cut);
      let isWell = false;
      try {
        signal.throwIfAborted();
        const result = await work(client, signal);
        isWell = true;
        return result;
      } finally {
        signal.removeEventListener("abort", cut);
        client.release(!isWell); // another connection next time; the server rolls back
      }
    });
  }
}

// What must hold, with a server that is stopped and started again.

import assert from "node:assert/strict";
import { makePostgreSQL } from "./servers/postgresql.ts";

await using server = await makePostgreSQL();
server.start();
const database = new Database({
  host: server.folder,
  user: "postgres",
  database: "postgres",
});
await database.query("CREATE TABLE entry (id int PRIMARY KEY, part text)");
console.log(
  `  the first query waited for the server: ${database.statistic.errors} failures`,
);

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const insert = "INSERT INTO entry VALUES ($1, $2)";

/** Two rows, with a pause in between, in which no query waits on the connection. */
const order = (id: number) =>
  database.transaction(async (client) => {
    await client.query(insert, [id, "first"]);
    await wait(200);
    await client.query(insert, [id + 1000, "second"]);
  });
const idle = await Promise.all([1, 2, 3].map(() => database.query("SELECT 1")));
assert.equal(idle.length, 3);

const before = database.statistic.errors;
const inFlight = [order(1), order(2), database.query("SELECT pg_sleep(0.3)")];
await wait(100);
await server.stop();
const meanwhile = [order(3), order(4), database.query("SELECT 1")];
await wait(300);
server.start();
await Promise.all([...inFlight, ...meanwhile]);
assert(database.statistic.errors - before >= 6);
const { rows } = await database.query("SELECT id FROM entry ORDER BY id");
assert.deepEqual(rows.map(({ id }) => id), [1, 2, 3, 4, 1001, 1002, 1003, 1004]);
console.log("  three calls in flight at the stop and three in the outage: each done, once");

const tries = database.statistic.attempts;
const duplicate = database.transaction((client) => client.query(insert, [1, "again"]));
await assert.rejects(duplicate, { code: "23505" });
assert.equal(database.statistic.attempts - tries, 1);
await database.query("SELECT 1");
console.log("  a duplicate key: not tried again, and its connection not used again");

let calls = 0;
const slow = database.transaction(async (client) => {
  calls += 1;
  await client.query(insert, [5, `call ${calls}`]);
  if (calls === 1) await client.query("SELECT pg_sleep(60)");
});
await slow;
const five = await database.query("SELECT part FROM entry WHERE id = 5");
assert.deepEqual(five.rows, [{ part: "call 2" }]);
console.log("  a transaction that takes too long: cut, rolled back, and done again");

calls = 0;
const broken = database.transaction(async (client) => {
  calls += 1;
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  await database.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
});
await assert.rejects(broken, { name: "CommitUnknown" });
assert.equal(calls, 1);
console.log("  a connection that breaks at COMMIT: not tried again, and said so");

await database.query("CREATE TABLE slow (id int)");
await database.query(`CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN IF NEW.id = 1 THEN PERFORM pg_sleep(60); END IF;
  RAISE serialization_failure; END'`);
await database.query(`CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON slow
  INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nap()`);
calls = 0;
const raced = database.transaction(async (client) => {
  calls += 1;
  if (calls < 3) await client.query("INSERT INTO slow VALUES (2)");
});
await raced;
assert.equal(calls, 3);
console.log("  a race that is lost at COMMIT: done again");

calls = 0;
const stuck = database.transaction((client) => {
  calls += 1;
  return client.query("INSERT INTO slow VALUES (1)");
});
await assert.rejects(stuck, { name: "CommitUnknown" });
assert.equal(calls, 1);
console.log("  an attempt that is cut at COMMIT: not tried again, and said so");

await database.close();
