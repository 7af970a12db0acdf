// PostgreSQL with npm:pg, while the server restarts: failed work is retried on another
// connection, but only if that is safe.
// deno run -A examples/postgresql.ts

import { Backoff, exponential } from "@asyncbackoff/asyncbackoff";
// @ts-types="npm:@types/pg@^8"
import pg from "npm:pg@^8";

/** The attempt timeout: for connecting, and for all work on the connection. */
const ATTEMPT = 1000;

/**
 * The errors that may disappear: the server stops (57P01, 57P02), starts (57P03) or is full
 * (53300), the connection broke (class 08), the transaction lost a race (40001, 40P01), or
 * there is no server (on a socket: ENOENT). For a broken connection, pg has some errors
 * without a code.
 */
const CODE =
  /^(?:57P0[123]|53300|08...|40001|40P01|E(?:NOENT|CONN(?:REFUSED|RESET)|PIPE))$/;
const MESSAGE = /^Connection terminated|^timeout exceeded|is not queryable$/;

/** The codes of a COMMIT that was rolled back: a lost race, a constraint. */
const REFUSED = /^(?:40(?!003)|23)...$/; // 40003: the server does not know either

function isTransient(error: unknown): boolean {
  const { name, code = "", message = "" } = error as Error & { code?: string };
  return name === "TimeoutError" || CODE.test(code) || MESSAGE.test(message);
}

/**
 * COMMIT was sent and no answer arrived, so it is unknown whether the transaction took
 * effect.
 */
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
    // The server stops a statement too, a little later, so that no abandoned work
    // continues.
    const limits = { connectionTimeoutMillis: ATTEMPT, statement_timeout: 2 * ATTEMPT };
    this.#pool = new pg.Pool({ ...limits, ...config });
    // A connection that breaks while no query waits on it emits an event, which ends the
    // process if there is no listener. An idle connection emits it on the pool, any other
    // on its client.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Runs a statement, possibly more than once. It must be read-only or idempotent. */
  query(text: string, values: unknown[] = []): Promise<pg.QueryResult> {
    return this.#onClient((client) => client.query(text, values));
  }

  /**
   * Runs a transaction at most once. If it breaks before its COMMIT, nothing was done, and
   * all of it is retried. If it breaks at its COMMIT, it is not retried. `work` must have
   * no other effects.
   */
  async transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let isCommitting = false;
    const unknown = (cause: unknown) => new CommitUnknown("No answer to COMMIT", { cause });
    try {
      return await this.#onClient(async (client, signal) => {
        if (isCommitting) throw unknown("timeout"); // the last attempt was aborted there
        await client.query("BEGIN");
        const result = await work(client);
        signal.throwIfAborted(); // aborted in `work`: another attempt has begun
        isCommitting = true; // stays true unless COMMIT is refused: it may take effect later
        await client.query("COMMIT").catch((error) => {
          isCommitting = !REFUSED.test(error.code);
          throw isCommitting ? unknown(error) : error;
        });
        return result;
      });
    } catch (error) { // also at the deadline, which rejects with an earlier error
      throw isCommitting && !(error instanceof CommitUnknown) ? unknown(error) : error;
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  #onClient<T>(work: (client: pg.PoolClient, signal: AbortSignal) => Promise<T>) {
    return this.#backoff.execute(async ({ signal }) => {
      const client = await this.#pool.connect();
      const end = () => void client.end(); // pg does not support signals
      signal.addEventListener("abort", end);
      let isUsable = false;
      try {
        signal.throwIfAborted();
        const result = await work(client, signal);
        isUsable = true;
        return result;
      } finally {
        signal.removeEventListener("abort", end);
        client.release(!isUsable); // closes a broken connection, so that the server rolls back
      }
    });
  }
}

// The test, with a server that is stopped and started again.

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
  `  the first query waits for the server: ${database.statistic.errors} failures`,
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

const errorsBefore = database.statistic.errors;
const inFlight = [order(1), order(2), database.query("SELECT pg_sleep(0.3)")];
await wait(100);
await server.stop();
const meanwhile = [order(3), order(4), database.query("SELECT 1")];
await wait(300);
server.start();
await Promise.all([...inFlight, ...meanwhile]);
assert(database.statistic.errors - errorsBefore >= 6);
const { rows } = await database.query("SELECT id FROM entry ORDER BY id");
assert.deepEqual(rows.map(({ id }) => id), [1, 2, 3, 4, 1001, 1002, 1003, 1004]);
console.log(
  "  three calls in flight at the stop and three in the outage: each is done once",
);

const attemptsBefore = database.statistic.attempts;
const duplicate = database.transaction((client) => client.query(insert, [1, "again"]));
await assert.rejects(duplicate, { code: "23505" });
assert.equal(database.statistic.attempts - attemptsBefore, 1);
await database.query("SELECT 1");
console.log("  a duplicate key: not retried, and its connection is closed");

let calls = 0;
const slow = database.transaction(async (client) => {
  calls += 1;
  await client.query(insert, [5, `call ${calls}`]);
  if (calls === 1) await client.query("SELECT pg_sleep(60)");
});
await slow;
const five = await database.query("SELECT part FROM entry WHERE id = 5");
assert.deepEqual(five.rows, [{ part: `call ${calls}` }]);
console.log("  a transaction that takes too long: timed out, rolled back and retried");

calls = 0;
const broken = database.transaction(async (client) => {
  calls += 1;
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  await database.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
});
await assert.rejects(broken, { name: "CommitUnknown" });
assert.equal(calls, 1);
console.log("  a connection that breaks at COMMIT: not retried, and reported");

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
console.log("  a race that is lost at COMMIT: retried");

calls = 0;
const stuck = database.transaction((client) => {
  calls += 1;
  return client.query("INSERT INTO slow VALUES (1)");
});
await assert.rejects(stuck, { name: "CommitUnknown" });
assert.equal(calls, 1);
console.log("  an attempt that times out at COMMIT: not retried, and reported");

await database.close();
