import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { SupportClient } from "@aws-sdk/client-support";
import { close, find, open } from "./incident.mjs";
import { start } from "./server.mjs";

let server;

beforeAll(async () => {
  server = await start();
});

afterAll(() => server.stop());

beforeEach(() => server.ask("POST", "/reset"));

// Every account of a test server has its number for an access key, with the secret "test".
function clientOf(account = "123456789012") {
  return new SupportClient({
    region: "us-east-1",
    endpoint: server.env.AWS_ENDPOINT_URL_SUPPORT,
    credentials: { accessKeyId: account, secretAccessKey: "test" },
  });
}

async function requests(operation) {
  return (await server.ask("GET", `/requests?operation=${operation}`)).requests;
}

test("an incident has one case, however often it is reported", async () => {
  const support = clientOf();
  const first = await open(support, "Checkout is down", "All payments fail.");
  expect(await open(support, "Checkout is down", "They still do.")).toBe(first);
  expect((await find(support, "Checkout is down")).severityCode).toBe("critical");
});

test("a lost answer makes no second case", async () => {
  await server.ask("POST", "/faults", { kind: "lost-answer", operation: "CreateCase", count: 1 });
  const support = clientOf();

  const id = await open(support, "Checkout is down", "All payments fail.");

  expect((await requests("CreateCase")).map((r) => r.fault)).toEqual(["lost-answer", undefined]);
  expect((await find(support, "Checkout is down")).caseId).toBe(id);
  expect(await close(support, "Checkout is down")).toBe("unassigned");
  expect(await find(support, "Checkout is down")).toBeUndefined(); // there was no other one
});

test("a plan without critical cases gets urgent ones", async () => {
  await server.ask("POST", "/seed", 'accounts: [{id: "111122223333", plan: business}]');
  const support = clientOf("111122223333");
  await open(support, "Checkout is down", "All payments fail.");
  expect((await find(support, "Checkout is down")).severityCode).toBe("urgent");
});

test("what somebody at support resolved is over", async () => {
  await server.ask(
    "POST",
    "/seed",
    `
cases:
  - ref: old
    subject: Checkout is down
    body: All payments fail.
    communications:
      - {by: agent, after: 1h, body: It was us. It works again., status: resolved}
`,
  );
  expect(await close(clientOf(), "Checkout is down")).toBeUndefined();
});
