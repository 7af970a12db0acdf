// The stacks of errors lead to the caller of an execution, on engines that follow reactions of
// promises, such as V8.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  Backoff,
  type Clock,
  ResultError,
  sleep,
  systemClock,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** A chain of reactions, as an execution is one. */
async function callerOfReaction(): Promise<unknown> {
  const fail = async () => {
    await null;
    throw new Error("down");
  };
  return await fail().catch((error) => error);
}

/** Whether the engine finds the function that awaits a chain of reactions. */
const isFollowed = `${(await callerOfReaction() as Error).stack}`.includes(
  "async callerOfReaction",
);

/** The names of this file's functions in a stack, and the number of the library's frames. */
function framesOf(error: unknown) {
  assertInstanceOf(error, Error);
  const frames = `${error.stack}`.split("\n").filter((line) => /^\s+at /.test(line));
  const file = import.meta.url.slice(import.meta.url.lastIndexOf("/") + 1);
  const isOwn = (frame: string) => frame.includes(file);
  const isLibrary = (frame: string) => /\/(src|dist)\//.test(frame);
  return {
    own: frames.filter(isOwn).map((frame) => /at ((?:async )?[\w.<>]*)/.exec(frame)?.[1]),
    library: frames.filter((frame) => isLibrary(frame)).length,
    all: frames.length,
  };
}

/** The function that fails, three calls below the one that is executed. */
async function readUser(): Promise<never> {
  await null;
  throw new Error("down");
}

async function loadUser(): Promise<never> {
  await sleep(1);
  return await readUser();
}

class Users {
  @asyncbackoff(500, 1000, { exceptions: "all", maxTries: 3 })
  async load(): Promise<void> {
    await loadUser();
  }
}

/** Ways to execute a function that fails, each with its number of attempts. */
const ways: [what: string, attempts: number, execute: () => Promise<unknown>][] = [
  ...[1, 2, 3].flatMap((maxTries): typeof ways => [
    [
      "Backoff.execute()",
      maxTries,
      () => new Backoff({ exceptions: "all", maxTries }).execute(loadUser),
    ],
    [
      "Backoff.execute() with limits and a pause",
      maxTries,
      () => {
        const limits = { attemptTimeout: 500, deadline: 1000 };
        const backoff = new Backoff({ ...limits, exceptions: "all", maxTries, pause: 1 });
        return backoff.execute(loadUser);
      },
    ],
    [
      "Backoff.execute() with a signal and an observer",
      maxTries,
      () => {
        const { signal } = new AbortController();
        const backoff = new Backoff({ exceptions: "all", maxTries, observe() {} });
        return backoff.execute(loadUser, { signal });
      },
    ],
    ["asyncretry() without limits", maxTries, () => asyncretry(maxTries)(loadUser)()],
    [
      "asyncbackoff()",
      maxTries,
      () => asyncbackoff(500, 1000, { exceptions: "all", maxTries })(loadUser)(),
    ],
  ]),
  ["a decorated method", 3, () => new Users().load()],
];

for (const [what, attempts, execute] of ways) {
  Deno.test(`The stack of an error after an await leads through ${what} to its caller in attempt ${attempts}`, async () => {
    if (!isFollowed) return;
    let calls = 0;
    async function handleRequest(): Promise<unknown> {
      calls++;
      return await execute();
    }
    const error = await handleRequest().catch((error) => error);
    const { own, library } = framesOf(error);
    assertEquals(own.slice(0, 2), ["readUser", "async loadUser"]);
    assertInstanceOf(error, Error);
    assert(own.includes("async handleRequest"), error.stack);
    assertEquals([calls, error.message], [1, "down"]);
    assert(library <= 3, error.stack);
  });
}

Deno.test("The stack of an error leads to the caller through executions in executions", async () => {
  if (!isFollowed) return;
  const inner = asyncretry(2)(loadUser);
  async function loadPage() {
    await inner();
  }
  async function handleRequest() {
    await new Backoff({ deadline: 1000, exceptions: "all", maxTries: 2 }).execute(loadPage);
  }
  const error = await handleRequest().catch((error) => error);
  const { own, library } = framesOf(error);
  const callers = ["readUser", "async loadUser", "async loadPage", "async handleRequest"];
  assertEquals(own.slice(0, 4), callers);
  assert(library <= 3, error.stack);
});

for (const attempt of [1, 2, 3]) {
  Deno.test(`The stack of an error that is thrown at once in attempt ${attempt} has the caller, and at most three frames of the library`, async () => {
    if (!isFollowed) return;
    const fail = () => {
      throw new Error("down");
    };
    const policy = { exceptions: "all", deadline: 1000, maxTries: attempt } as const;
    const executes = [
      () => new Backoff(policy).execute(fail),
      () => new Backoff(policy).wrap(fail)(),
    ];
    for (const execute of executes) {
      const handleRequest = async () => await execute();
      const error = await handleRequest().catch((error) => error);
      const { own, library } = framesOf(error);
      assertEquals(own[0], "fail");
      const caller = attempt === 1 ? "handleRequest" : "async handleRequest";
      assert(own.includes(caller), error.stack);
      assert(library <= 3, error.stack);
    }
  });
}

for (const attempt of [1, 2, 3]) {
  Deno.test(`The stack of a ResultError in attempt ${attempt} leads to the caller, and has at most three frames of the library`, async () => {
    if (!isFollowed) return;
    const policy = new Backoff({ until: () => false, maxTries: attempt });
    async function handleRequest() {
      await policy.execute(() => "refused");
    }
    const error = await handleRequest().catch((error) => error);
    assertInstanceOf(error, ResultError);
    const { own, library } = framesOf(error);
    assertEquals(own[0], "async handleRequest", error.stack);
    assert(library <= 3, error.stack);
  });
}

/** Runs a test on both clocks that the library has. */
const clocks: [name: string, run: <T>(test: (clock: Clock) => Promise<T>) => Promise<T>][] =
  [
    ["systemClock", async (test) => {
      const result = await test(systemClock);
      await sleep(3); // until the attempts have wound down
      await new TestClock().advance(0); // a turn, in which the platform's timer is cleared
      return result;
    }],
    ["TestClock", (test) => {
      const clock = new TestClock();
      return clock.run(test(clock));
    }],
  ];

for (const [name, run] of clocks) {
  for (const limit of ["attemptTimeout", "idleTimeout", "deadline"] as const) {
    for (const grace of [0, 2]) {
      const winds = grace === 0 ? "" : ", after a grace";
      Deno.test(`The stack of a TimeoutError (${limit} on ${name}${winds}) leads to the caller`, async () => {
        if (!isFollowed) return;
        for (const attempts of limit === "deadline" ? [1] : [1, 2, 3]) {
          const { error, signalled } = await run(async (clock) => {
            const signalled: unknown[] = [];
            const rules = { grace, pause: 1, maxTries: attempts, exceptions: [], clock };
            const policy = { [limit]: 3, ...rules };
            async function handleRequest() {
              await new Backoff(policy).execute(({ signal }) =>
                new Promise((_, reject) =>
                  signal.addEventListener("abort", () => {
                    signalled.push(signal.reason);
                    if (grace > 0) sleep(1, { clock }).then(reject);
                  })
                )
              );
            }
            const error = await handleRequest().catch((error) => error);
            return { error, signalled };
          });
          assertInstanceOf(error, TimeoutError);
          const { own, library } = framesOf(error);
          assertEquals(own[0], "async handleRequest", error.stack);
          assert(library <= 3, error.stack);
          // The reason of each attempt's signal is an error of its own, with such a stack.
          assertEquals(signalled.length, attempts);
          assert(signalled.at(-1) === error);
          for (const reason of signalled) {
            assertEquals(framesOf(reason).own[0], "async handleRequest");
          }
        }
      });
    }
  }

  Deno.test(`The stack of a TimeoutError on ${name} leads to the caller when the attempts before failed by themselves`, async () => {
    if (!isFollowed) return;
    const error = await run(async (clock) => {
      const policy = { attemptTimeout: 3, exceptions: "all", maxTries: 3, clock } as const;
      async function handleRequest() {
        await new Backoff(policy).execute(({ number }) => {
          if (number < 3) throw new Error("down");
          return new Promise(() => {});
        });
      }
      return await handleRequest().catch((error) => error);
    });
    assertInstanceOf(error, TimeoutError);
    assertEquals(framesOf(error).own[0], "async handleRequest", error.stack);
  });

  for (const limit of ["attemptTimeout", "idleTimeout", "deadline"] as const) {
    Deno.test(`The stack of a TimeoutError (${limit} of 0 on ${name}) leads to the caller`, async () => {
      if (!isFollowed) return;
      const error = await run(async (clock) => {
        async function handleRequest() {
          const policy = { [limit]: 0, maxTries: 1, clock };
          await new Backoff(policy).execute(() => "never called");
        }
        return await handleRequest().catch((error) => error);
      });
      assertInstanceOf(error, TimeoutError);
      const names = framesOf(error).own;
      assert(names.some((name) => name?.endsWith("handleRequest")), error.stack);
    });
  }
}
