// A NestJS server on loopback, compiled to CommonJS by esbuild with legacy decorators. Its
// methods are retried by decorators on each side of those of NestJS, which put metadata on
// the function. The extension keeps it from `deno check`, which does not know NestJS.

import "reflect-metadata";
import { deepStrictEqual, strictEqual } from "node:assert";
import {
  applyDecorators,
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  createParamDecorator,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  Param,
  ParseIntPipe,
  SetMetadata,
  UseFilters,
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

@Catch(Busy)
class BusyFilter implements ExceptionFilter {
  catch({ message }: Busy, host: ArgumentsHost) {
    host.switchToHttp().getResponse().status(418).send(message);
  }
}

const Side = createParamDecorator((_data, context: ExecutionContext) =>
  Reflect.getMetadata("side", context.getHandler())
);

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

    @Get("parameters/below/:id")
    @SetMetadata("side", "below")
    @retried
    async parametersBelow(@Param("id", ParseIntPipe) id: number, @Side() side: string) {
      return await this.#answer(`${side} ${id + 1}`);
    }

    @retried
    @Get("parameters/above/:id")
    @SetMetadata("side", "above")
    async parametersAbove(@Param("id", ParseIntPipe) id: number, @Side() side: string) {
      return await this.#answer(`${side} ${id + 1}`);
    }

    @Get("failing/below")
    @UseFilters(BusyFilter)
    @retried
    async failingBelow() {
      return await Promise.reject(new Busy("below"));
    }

    @retried
    @Get("failing/above")
    @UseFilters(BusyFilter)
    async failingAbove() {
      return await Promise.reject(new Busy("above"));
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
  for (const notation of Object.keys(notations)) {
    for (const side of ["below", "above"]) {
      check(`${notation}() ${side}: pipes and decorators of parameters hold`, async () => {
        const response = await get(`/${notation}/parameters/${side}/7`);
        deepStrictEqual(
          [response.status, await response.text()],
          [200, `${side} 8 after 3 calls`],
        );
        strictEqual((await get(`/${notation}/parameters/${side}/seven`)).status, 400);
      });

      check(
        `${notation}() ${side}: the exception filter catches the last error`,
        async () => {
          const response = await get(`/${notation}/failing/${side}`);
          deepStrictEqual([response.status, await response.text()], [418, side]);
        },
      );
    }
  }
  await runChecks();
}

main();
