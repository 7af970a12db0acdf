// Runs the checks of followed attempts in a worker.

import * as core from "@asyncbackoff/asyncbackoff";
import * as context from "@asyncbackoff/asyncbackoff/context";
import { run } from "./checks.js";

export default {
  async fetch() {
    try {
      return Response.json({ count: await run([{ ...core, ...context }]) });
    } catch (error) {
      return new Response(String(error?.stack ?? error), { status: 500 });
    }
  },
};
