// Runs commands, and finds the files of the repository.

/** The repository. */
export const root: URL = new URL("../../", import.meta.url);

/** The path of a file of the repository. */
export function pathOf(name: string): string {
  return decodeURIComponent(new URL(name, root).pathname);
}

/**
 * Runs a command.
 *
 * @returns The text that it printed.
 * @throws {Error} If it fails. The message has the text that it printed.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string | URL; env?: Record<string, string> } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${command} ${args.join(" ")} failed:\n${text}\n${errors}`);
  return `${text}${errors}`;
}
