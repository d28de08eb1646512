// Opens one support case for an incident, and resolves it when it is over.
import {
  CreateCaseCommand,
  DescribeSeverityLevelsCommand,
  ResolveCaseCommand,
  SupportClient,
  paginateDescribeCases,
} from "@aws-sdk/client-support";

/** Returns the open case of an incident, undefined when there is none. */
export async function find(support, title) {
  for await (const page of paginateDescribeCases({ client: support }, { includeCommunications: false })) {
    const found = page.cases.find((one) => one.subject === title);
    if (found) return found;
  }
}

/** Opens a case for an incident unless there is one, and returns its id. */
export async function open(support, title, text) {
  const there = await find(support, title);
  if (there) return there.caseId;
  const { severityLevels } = await support.send(new DescribeSeverityLevelsCommand({}));
  const { caseId } = await support.send(
    new CreateCaseCommand({
      subject: title,
      communicationBody: text,
      severityCode: severityLevels.at(-1).code, // the highest of the plan comes last
    }),
  );
  return caseId;
}

/** Resolves the case of an incident, and returns its status before. */
export async function close(support, title) {
  const there = await find(support, title);
  if (!there) return undefined;
  const { initialCaseStatus } = await support.send(new ResolveCaseCommand({ caseId: there.caseId }));
  return initialCaseStatus;
}

if (process.argv[1] === import.meta.filename) {
  const [, , what, title, text] = process.argv;
  const support = new SupportClient({ region: "us-east-1" });
  if (what === "open") console.log(await open(support, title, text));
  else if (what === "close") console.log((await close(support, title)) ?? "there is no such case");
  else console.error("usage: incident.mjs open TITLE TEXT | close TITLE");
}
