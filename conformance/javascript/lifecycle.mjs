// Drives every operation of the Support API through the AWS SDK for JavaScript,
// which takes endpoint, region and credentials from the environment.
import assert from "node:assert/strict";
import {
  AddAttachmentsToSetCommand,
  AddCommunicationToCaseCommand,
  AttachmentIdNotFound,
  AttachmentSetIdNotFound,
  AttachmentSetSizeLimitExceeded,
  CaseIdNotFound,
  CreateCaseCommand,
  DescribeAttachmentCommand,
  DescribeCasesCommand,
  DescribeCommunicationsCommand,
  DescribeCreateCaseOptionsCommand,
  DescribeServicesCommand,
  DescribeSeverityLevelsCommand,
  DescribeSupportedLanguagesCommand,
  DescribeTrustedAdvisorChecksCommand,
  ResolveCaseCommand,
  Support,
  SupportClient,
  SupportServiceException,
  paginateDescribeCases,
  paginateDescribeCommunications,
} from "@aws-sdk/client-support";

const client = new SupportClient({});
const content = Uint8Array.from({ length: 256 }, (_, i) => i);
const kind = { serviceCode: "general-info", categoryCode: "using-aws", issueType: "technical" };

async function create() {
  const made = await client.send(new CreateCaseCommand({
    subject: "Boot hängt", communicationBody: "Seit gestern.\n\nGruß", ccEmailAddresses: ["ops@example.com"],
    serviceCode: "amazon-elastic-compute-cloud-linux", categoryCode: "ssh-issue", severityCode: "urgent",
    issueType: "technical", language: "en",
  }));
  assert.match(made.caseId, /^case-\d{12}-muen-\d{4}-[0-9a-f]{16}$/);
  assert.match(made.$metadata.requestId, /^[0-9a-f-]{36}$/);
  assert.equal(made.$metadata.attempts, 1);
  const { cases, nextToken } = await client.send(new DescribeCasesCommand({ caseIdList: [made.caseId] }));
  assert.equal(nextToken, undefined);
  assert.equal(cases.length, 1);
  assert.equal(cases[0].subject, "Boot hängt");
  assert.equal(cases[0].status, "unassigned");
  assert.equal(cases[0].severityCode, "urgent");
  assert.deepEqual(cases[0].ccEmailAddresses, ["ops@example.com"]);
  assert.equal(cases[0].recentCommunications.communications[0].body, "Seit gestern.\n\nGruß");
  assert.deepEqual(cases[0].recentCommunications.communications[0].attachmentSet, []);
  const bare = await client.send(new DescribeCasesCommand({ displayId: cases[0].displayId, includeCommunications: false }));
  assert.equal(bare.cases[0].caseId, made.caseId);
  assert.equal(bare.cases[0].recentCommunications, undefined);
  const none = await client.send(new DescribeCasesCommand({ afterTime: new Date(Date.now() + 86_400_000).toISOString() }));
  assert.deepEqual(none.cases, []);
  return made.caseId;
}

async function attach(caseId) {
  const set = await client.send(new AddAttachmentsToSetCommand({ attachments: [{ fileName: "bytes.bin", data: content }] }));
  assert.match(set.expiryTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  const more = await client.send(new AddAttachmentsToSetCommand({
    attachmentSetId: set.attachmentSetId, attachments: [{ fileName: "b.txt", data: Buffer.from("b") }],
  }));
  assert.equal(more.attachmentSetId, set.attachmentSetId);
  const added = await client.send(new AddCommunicationToCaseCommand({
    caseId, communicationBody: "Dateien", attachmentSetId: set.attachmentSetId, ccEmailAddresses: ["boss@example.com"],
  }));
  assert.equal(added.result, true);
  const { communications } = await client.send(new DescribeCommunicationsCommand({ caseId }));
  assert.deepEqual(communications.map((c) => c.body), ["Dateien", "Seit gestern.\n\nGruß"]);
  assert.deepEqual(communications[0].attachmentSet.map((a) => a.fileName), ["bytes.bin", "b.txt"]);
  const { attachment } = await client.send(new DescribeAttachmentCommand({ attachmentId: communications[0].attachmentSet[0].attachmentId }));
  assert.equal(attachment.fileName, "bytes.bin");
  assert.deepEqual(Uint8Array.from(attachment.data), content);
  await refused(new AddCommunicationToCaseCommand({ caseId, communicationBody: "B", attachmentSetId: set.attachmentSetId }), AttachmentSetIdNotFound);
  await refused(new DescribeAttachmentCommand({ attachmentId: "attachment-0" }), AttachmentIdNotFound);
  const four = Array.from({ length: 4 }, (_, i) => ({ fileName: `${i}`, data: content }));
  await refused(new AddAttachmentsToSetCommand({ attachments: four }), AttachmentSetSizeLimitExceeded);
}

async function catalogue() {
  const { services } = await client.send(new DescribeServicesCommand({ serviceCodeList: ["amazon-polly", "no-such-service"], language: "en" }));
  assert.deepEqual(services.map((s) => [s.code, s.name]), [["amazon-polly", "Polly"]]);
  assert.deepEqual(services[0].categories.map((c) => c.code), ["other", "apis", "general-guidance"]);
  assert.ok((await client.send(new DescribeServicesCommand({}))).services.length > 300);
  const { severityLevels } = await client.send(new DescribeSeverityLevelsCommand({ language: "en" }));
  assert.deepEqual(severityLevels.map((s) => s.code), ["low", "normal", "high", "urgent", "critical"]);
  const { supportedLanguages } = await client.send(new DescribeSupportedLanguagesCommand(kind));
  assert.deepEqual(supportedLanguages.map((l) => l.code), ["en", "ja", "zh", "ko"]);
  const options = await client.send(new DescribeCreateCaseOptionsCommand({ language: "en", ...kind }));
  assert.equal(options.languageAvailability, "available");
  assert.deepEqual(options.communicationTypes.map((t) => t.type), ["web", "chat", "call"]);
}

async function pages(caseId) {
  for (let i = 0; i < 24; i++) {
    await client.send(new CreateCaseCommand({ subject: `Page ${i}`, communicationBody: "B" }));
    await client.send(new AddCommunicationToCaseCommand({ caseId, communicationBody: `Reply ${i}` }));
  }
  const cases = [];
  for await (const page of paginateDescribeCases({ client, pageSize: 10 }, { includeResolvedCases: true })) {
    cases.push(page.cases.map((c) => c.subject));
  }
  assert.deepEqual(cases.map((page) => page.length), [10, 10, 5]);
  assert.deepEqual(cases.flat(), ["Boot hängt", ...Array.from({ length: 24 }, (_, i) => `Page ${i}`)]);
  const communications = [];
  for await (const page of paginateDescribeCommunications({ client, pageSize: 10 }, { caseId })) {
    communications.push(page.communications.map((c) => c.body));
  }
  assert.deepEqual(communications.map((page) => page.length), [10, 10, 6]);
  assert.equal(communications[0][0], "Reply 23");
  assert.equal(communications[2][5], "Seit gestern.\n\nGruß");
}

async function resolve(caseId) {
  const support = new Support({}); // the client with a method for each operation
  const done = await support.resolveCase({ caseId });
  assert.deepEqual([done.initialCaseStatus, done.finalCaseStatus], ["unassigned", "resolved"]);
  await client.send(new AddCommunicationToCaseCommand({ caseId, communicationBody: "Wieder da" }));
  const { cases } = await support.describeCases({ caseIdList: [caseId] });
  assert.equal(cases[0].status, "reopened");
  assert.equal((await client.send(new ResolveCaseCommand({ caseId }))).initialCaseStatus, "reopened");
}

async function errors() {
  for (const command of [
    new DescribeCasesCommand({ caseIdList: ["case-0"] }),
    new DescribeCommunicationsCommand({ caseId: "case-0" }),
    new AddCommunicationToCaseCommand({ caseId: "case-0", communicationBody: "B" }),
    new ResolveCaseCommand({ caseId: "case-0" }),
  ]) {
    const told = await refused(command, CaseIdNotFound);
    assert.equal(told.message, 'The requested case ID "case-0" could not be found.');
    assert.equal(told.$fault, "client");
    assert.equal(told.$metadata.httpStatusCode, 400);
    assert.equal(told.$metadata.attempts, 1);
  }
  for (const [name, command] of [
    ["ValidationException", new DescribeCasesCommand({ maxResults: 9 })],
    ["InvalidParameterValueException", new DescribeCasesCommand({ nextToken: "x" })],
    ["InvalidParameterValueException", new DescribeTrustedAdvisorChecksCommand({ language: "xx" })],
  ]) {
    assert.equal((await refused(command, SupportServiceException)).name, name);
  }
  const stranger = new SupportClient({ credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" } });
  await assert.rejects(stranger.send(new DescribeCasesCommand({})), { name: "UnrecognizedClientException" });
}

async function refused(command, kindOfError) {
  try {
    await client.send(command);
  } catch (told) {
    assert.ok(told instanceof kindOfError, `${command.constructor.name}: ${told}, want ${kindOfError.name}`);
    return told;
  }
  assert.fail(`${command.constructor.name} went well, want ${kindOfError.name}`);
}

const caseId = await create();
await attach(caseId);
await catalogue();
await pages(caseId);
await resolve(caseId);
await errors();
console.log("JavaScript: life is fine");
