// Where Chromium is: as the environment says, or where systems have it, or installed now.

import { run } from "../../../tools/package.ts";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** Tells the path of Chromium; throws what to do if there is none. */
export async function findChromium(): Promise<string> {
  const named = Deno.env.get("CHROMIUM");
  if (named !== undefined) return named;
  const found = await look();
  if (found !== null) return found;
  await install();
  const installed = await look();
  if (installed !== null) return installed;
  throw new Error(
    "Cannot test in a browser as there is no Chromium: install it, on Debian by " +
      "'apt-get install chromium', or tell its path in the variable CHROMIUM",
  );
}

async function look(): Promise<string | null> {
  for (const name of names) {
    const path = await run("which", [name]).catch(() => "");
    if (path !== "") return path.trim();
  }
  return null;
}

/** Debian's package, where one may. */
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
