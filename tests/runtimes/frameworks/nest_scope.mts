// A NestJS server whose requests are scopes: an interceptor hands the signal of the request down,
// and a service of `Scope.REQUEST` is retried by a decorator. Attempts are followed. The extension
// keeps it from `deno check`, which does not know NestJS.

import "reflect-metadata";
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  Param,
  Scope,
  UseInterceptors,
} from "@nestjs/common";
import { NestFactory, REQUEST } from "@nestjs/core";
import {
  asyncretry,
  type Attempt,
  currentAttempt,
  currentAttemptOrNull,
  within,
} from "@asyncbackoff/asyncbackoff";
import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
import { defer, lastValueFrom } from "rxjs";
import { check, runChecks } from "./check.js";

followAttempts();

const turn = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

/** The calls of each path, and the reason for which the last retried call ended. */
const calls = new Map<string, number>();
const ends = new Map<string, unknown>();

/** A helper that is retried itself, and finds the attempt around it. */
const load = asyncretry(1000, { pause: 5 })(async (path: string) => {
  calls.set(path, (calls.get(path) ?? 0) + 1);
  await turn();
  if (!path.endsWith("7") || calls.get(path) !== 4) throw new Error("try again");
  return path;
});

@Injectable({ scope: Scope.REQUEST })
class Users {
  constructor(@Inject(REQUEST) private readonly request: { url: string }) {}

  @asyncretry(3)
  async find(): Promise<string> {
    const own: Attempt = currentAttempt();
    await turn();
    try {
      return await load(this.request.url);
    } catch (error) {
      ends.set(this.request.url, error);
      throw error;
    } finally {
      strictEqual(currentAttempt(), own);
    }
  }
}

@Injectable()
class Leaving implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const left = new AbortController();
    const response = context.switchToHttp().getResponse();
    response.on("close", () => left.abort("The client has left"));
    const scope = { signal: left.signal, deadline: 5000 };
    return defer(() => within(scope, () => lastValueFrom(next.handle())));
  }
}

@Controller()
@UseInterceptors(Leaving)
class UsersController {
  constructor(@Inject(Users) private readonly users: Users) {}

  @Get("users/:id")
  async user(@Param("id") id: string) {
    await turn(1); // before the first call that is retried
    strictEqual(currentAttemptOrNull(), null);
    return `${id}: ${await this.users.find()}`;
  }
}

@Module({ controllers: [UsersController], providers: [Users, Leaving] })
class App {}

async function main() {
  const app = await NestFactory.create(App, { logger: false });
  await app.listen(0, "127.0.0.1");
  const url = await app.getUrl();

  check(
    "a service of the scope of its request retries, and keeps its own attempt",
    async () => {
      const ids = ["107", "207", "307"];
      const answers = await Promise.all(
        ids.map(async (id) => await (await fetch(`${url}/users/${id}`)).text()),
      );
      deepStrictEqual(answers, ids.map((id) => `${id}: /users/${id}`));
    },
  );

  check(
    "the work for a client ends when it leaves, and that for others goes on",
    async () => {
      const leaving = new AbortController();
      const gone = fetch(`${url}/users/1`, { signal: leaving.signal }).catch(() => "gone");
      const other = fetch(`${url}/users/407`).then((response) => response.text());
      while ((calls.get("/users/1") ?? 0) < 3) await turn();
      leaving.abort();
      strictEqual(await gone, "gone");
      while (!ends.has("/users/1")) await turn();
      strictEqual(ends.get("/users/1"), "The client has left");
      const before = calls.get("/users/1");
      strictEqual(await other, "407: /users/407");
      await turn(50);
      strictEqual(calls.get("/users/1"), before);
      ok(before !== undefined);
    },
  );

  await runChecks();
}

void main();
