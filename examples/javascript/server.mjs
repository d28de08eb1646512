// A supportd in test mode, for tests.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Starts a server, and returns its environment, its management API and what stops it. */
export async function start() {
  const program = spawn(
    process.env.SUPPORTD ?? "supportd",
    ["serve", "--test", "--listen", "127.0.0.1:0", "--test-listen", "127.0.0.1:0", "--log-level", "warn"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const env = {};
  for await (const line of createInterface({ input: program.stdout })) {
    const [, name, value] = line.match(/^export (\w+)=(.*)$/);
    env[name] = value;
    if (name === "SUPPORTD_TEST_URL") break;
  }
  if (!env.SUPPORTD_TEST_URL) throw new Error("supportd did not start");
  return {
    env,
    ask: async (method, path, body) => {
      const answer = await fetch(env.SUPPORTD_TEST_URL + path, {
        method,
        body: typeof body === "object" ? JSON.stringify(body) : body,
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
      return text && JSON.parse(text);
    },
    stop: () =>
      new Promise((ended) => {
        program.on("exit", ended);
        program.kill();
      }),
  };
}
