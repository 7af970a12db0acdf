// Finds Chromium: at the path in the environment, or where systems have it. If there is
// none, it is installed.

import { run } from "../../support/run.ts";

const names = ["chromium", "chromium-browser", "google-chrome"];

/**
 * Finds Chromium.
 *
 * @returns The path of the program.
 * @throws {Error} If there is none. The message says what to do.
 */
export async function findChromium(): Promise<string> {
  const named = Deno.env.get("CHROMIUM");
  if (named !== undefined) return named;
  const found = await look();
  if (found !== null) return found;
  await install();
  const installed = await look();
  if (installed !== null) return installed;
  throw new Error(
    "Cannot test in a browser: Chromium must be installed (on Debian by 'apt-get install " +
      "chromium'), or its path must be in the variable CHROMIUM",
  );
}

async function look(): Promise<string | null> {
  for (const name of names) {
    const path = await run("which", [name]).catch(() => "");
    if (path !== "") return path.trim();
  }
  return null;
}

/** Installs Debian's package, if this process has the permission to. */
async function install(): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  console.log("There is no Chromium: installing Debian's package");
  try {
    await run("apt-get", ["update"], { env });
    await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], { env });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}
