package conformance_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestJavaScript(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		missingClient(t, "Node.js 20 or newer", "see https://nodejs.org")
	}
	if _, err := os.Stat("javascript/node_modules/@aws-sdk/client-support"); err != nil {
		missingClient(t, "the AWS SDK for JavaScript", "cd conformance/javascript && npm ci")
	}
	u := newUser(t, startFirstRun(t, "--limits", "off"))
	u.dir = "javascript"
	t.Log(u.mustRun(node, "lifecycle.mjs"))
}

// A registry's address in the lockfile would send every machine to it, also
// those that have a mirror.
func TestLockfileNamesNoRegistry(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"javascript/package-lock.json", "../examples/javascript/package-lock.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"resolved"`) {
			t.Errorf("%s has an address in it; make it with: npm install --package-lock-only --omit-lockfile-registry-resolved=true", file)
		}
	}
}
