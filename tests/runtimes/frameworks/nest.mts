// A NestJS server on loopback, compiled to CommonJS by esbuild with legacy decorators. Its
// methods are retried by decorators on each side of those of NestJS, which put metadata on
// the function. The extension keeps it from `deno check`, which does not know NestJS.

import "reflect-metadata";
import { deepStrictEqual, strictEqual } from "node:assert";
import {
  applyDecorators,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  Param,
  SetMetadata,
  UseGuards,
  UseInterceptors,
} from "@nestjs/common";
import { NestFactory, Reflector } from "@nestjs/core";
import { asyncbackoff, type AsyncDecorator, asyncretry } from "@asyncbackoff/asyncbackoff";
import { map } from "rxjs";
import { check, runChecks } from "./check.js";

class Busy extends Error {}

/** A service whose method fails twice before each answer. */
@Injectable()
class Names {
  #calls = 0;

  @asyncretry(3)
  async find(id: string): Promise<string> {
    if (++this.#calls % 3 !== 0) throw new Busy("try again");
    return await Promise.resolve(`name of ${id}`);
  }
}

/** Lets a request pass if it names the role that the metadata of the handler asks for. */
@Injectable()
class RoleGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const role = this.reflector.get("role", context.getHandler());
    return role === context.switchToHttp().getRequest().headers["x-role"];
  }
}

const answering: NestInterceptor = {
  intercept: (_context, next) => next.handle().pipe(map((answer) => ({ answer }))),
};

const Route = (side: string) =>
  applyDecorators(Get(`${side}/:id`), HttpCode(202), Header("x-side", side));
const Guarded = () =>
  applyDecorators(
    UseGuards(RoleGuard),
    UseInterceptors(answering),
    SetMetadata("role", "reader"),
  );

/** Makes a controller whose handlers are retried on each side of NestJS's decorators. */
function makeController(path: string, retried: AsyncDecorator) {
  @Controller(path)
  class Handlers {
    #calls = 0;

    @Get("below/:id")
    @HttpCode(202)
    @Header("x-side", "below")
    @UseGuards(RoleGuard)
    @UseInterceptors(answering)
    @SetMetadata("role", "reader")
    @retried
    async below(@Param("id") id: string) {
      return await this.#answer(id);
    }

    @Route("between")
    @retried
    @Guarded()
    async between(@Param("id") id: string) {
      return await this.#answer(id);
    }

    @retried
    @Get("above/:id")
    @HttpCode(202)
    @Header("x-side", "above")
    @UseGuards(RoleGuard)
    @UseInterceptors(answering)
    @SetMetadata("role", "reader")
    async above(@Param("id") id: string) {
      return await this.#answer(id);
    }

    /** Fails twice before each answer. */
    async #answer(id: string): Promise<string> {
      this.#calls += 1;
      if (this.#calls % 3 !== 0) throw new Busy("try again");
      return await Promise.resolve(`${id} after 3 calls`);
    }
  }
  return Handlers;
}

@Controller("names")
class NamesController {
  constructor(@Inject(Names) private readonly names: Names) {}

  @Get(":id")
  async name(@Param("id") id: string) {
    return await this.names.find(id);
  }
}

const notations = {
  asyncretry: asyncretry(3),
  asyncbackoff: asyncbackoff(1000, 5000, 1, Busy),
};
const controllers = Object.entries(notations).map(([name, retried]) =>
  makeController(name, retried)
);

@Module({ controllers: [NamesController, ...controllers], providers: [Names] })
class App {}

async function main() {
  const app = await NestFactory.create(App, { logger: false });
  await app.listen(0, "127.0.0.1");
  const url = await app.getUrl();
  const get = (path: string, role = "") =>
    fetch(url + path, { headers: { "x-role": role } });

  check("a method of a service retries", async () => {
    const response = await get("/names/7");
    deepStrictEqual([response.status, await response.text()], [200, "name of 7"]);
  });

  for (const notation of Object.keys(notations)) {
    for (const side of ["below", "between", "above"]) {
      const path = `/${notation}/${side}/7`;

      check(`${notation}() ${side}: the handler retries, and the rest holds`, async () => {
        const response = await get(path, "reader");
        const { status, headers } = response;
        deepStrictEqual(
          [status, headers.get("x-side"), await response.text()],
          [202, side, JSON.stringify({ answer: "7 after 3 calls" })],
        );
      });

      check(`${notation}() ${side}: the guard denies`, async () => {
        strictEqual((await get(path, "stranger")).status, 403);
      });
    }
  }
  await runChecks();
}

main();
