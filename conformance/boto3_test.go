package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	debianPython = "/usr/bin/python3"
	installBoto3 = "apt-get install python3-boto3"
)

// boto3Parts are the parts of python/lifecycle.py and the servers they need.
var boto3Parts = []struct{ name, limits string }{
	{"life", "off"},
	{"limits", "{cases-per-hour: 3, attachment-sets-per-10m: 2, describe-attachments-per-10m: 2, requests-per-second: 0}"},
	{"throttle", "{requests-per-second: 1}"},
}

func TestBoto3OfDebian(t *testing.T) {
	t.Parallel()
	if boto3Version(t, debianPython) == "" {
		missingClient(t, "boto3 of "+debianPython, installBoto3)
	}
	playBoto3(t, debianPython, func(u user, endpoint string) user {
		u.knowsNewerOperations()
		return u.with("SUPPORTD_ENDPOINT=" + endpoint) // it does not know AWS_ENDPOINT_URL_SUPPORT
	})
}

func TestBoto3WithThePrintedLinesAlone(t *testing.T) {
	t.Parallel()
	for _, python := range otherPrograms("python3", debianPython) {
		if atLeast(boto3Version(t, python), "1.28.0") {
			playBoto3(t, python, func(u user, _ string) user { return u })
			return
		}
	}
	missingAddition(t, "python3 with boto3 1.28 or newer on PATH")
}

// boto3Version is empty where there is none.
func boto3Version(t *testing.T, python string) string {
	t.Helper()
	if _, err := os.Stat(python); err != nil {
		return ""
	}
	u := user{t: t, env: os.Environ()}
	version, _, code := u.run(python, "-c", "import boto3; print(boto3.__version__)")
	if code != 0 {
		return ""
	}
	return strings.TrimSpace(version)
}

func playBoto3(t *testing.T, python string, prepare func(u user, endpoint string) user) {
	for _, part := range boto3Parts {
		t.Run(part.name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "supportd.yaml")
			if err := os.WriteFile(config, []byte("limits: "+part.limits+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			p := startFirstRun(t, "--config", config)
			u := prepare(newUser(t, p), p.url())
			t.Log(u.mustRun(python, "python/lifecycle.py", part.name))
		})
	}
	t.Run("expired", func(t *testing.T) { playExpiredSet(t, python, prepare) })
}

// playExpiredSet needs a clock that can be moved, so its server runs here.
func playExpiredSet(t *testing.T, python string, prepare func(u user, endpoint string) user) {
	server := inProcess(t, setting{})
	root := server.accounts[firstAccount]
	set := mustAddSet(t, server, root)
	server.advance(time.Hour)
	p := &process{env: map[string]string{
		"AWS_ENDPOINT_URL_SUPPORT": server.url,
		"AWS_DEFAULT_REGION":       "us-east-1",
		"AWS_ACCESS_KEY_ID":        root.id,
		"AWS_SECRET_ACCESS_KEY":    root.secret,
	}}
	u := prepare(newUser(t, p), server.url)
	t.Log(u.mustRun(python, "python/lifecycle.py", "expired", set))
}
