package conformance_test

import (
	"strings"
	"testing"
)

// What boto3 makes of a fault that happens once: whatever it is, the case is there
// once. Of an answer that it cannot read it says nothing but leaves the id out.
func TestBoto3BesideFaults(t *testing.T) {
	t.Parallel()
	if boto3Version(t, debianPython) == "" {
		missingClient(t, "boto3 of "+debianPython, installBoto3)
	}
	const program = `
import json, os, urllib.request
import boto3
from botocore.config import Config

def manage(method, path, document=None):
    body = json.dumps(document).encode() if document else None
    with urllib.request.urlopen(urllib.request.Request(os.environ["SUPPORTD_TEST_URL"] + path, body, method=method)) as answer:
        return answer.read()

support = boto3.client("support", endpoint_url=os.environ["AWS_ENDPOINT_URL_SUPPORT"], config=Config(retries={"mode": "standard"}))
for kind in "throttling internal-error unavailable cut-connection lost-answer latency wrong-content truncated-body".split():
    manage("POST", "/reset")
    manage("POST", "/faults", {"kind": kind, "operation": "CreateCase", "count": 1, **({"delay": "1ms"} if kind == "latency" else {})})
    try:
        answer = support.create_case(subject="once", communicationBody="words")
        outcome = "id" if "caseId" in answer else "nothing"
    except Exception as e:
        outcome = "error"
    calls = len(json.loads(manage("GET", "/requests?operation=CreateCase"))["requests"])
    print(kind, outcome, calls, "calls", len(support.describe_cases()["cases"]), "cases")
`
	u := user{t: t, home: t.TempDir()}
	u.env = append(startTestMode(t), "HOME="+u.home, "PATH=/usr/bin:/bin")
	got := u.mustRun(debianPython, "-c", program)
	want := `throttling id 2 calls 1 cases
internal-error id 2 calls 1 cases
unavailable id 2 calls 1 cases
cut-connection id 2 calls 1 cases
lost-answer id 2 calls 1 cases
latency id 1 calls 1 cases
wrong-content nothing 1 calls 1 cases
truncated-body nothing 1 calls 1 cases
`
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("boto3 makes of faults:\n%s\nwant:\n%s", got, want)
	}
}
