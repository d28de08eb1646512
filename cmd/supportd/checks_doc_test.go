package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func mustRead(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mustPack writes the files of the example in docs/checks.md, which begin with
// their name, into a folder and returns the pack.
func mustPack(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	files := regexp.MustCompile("(?s)```yaml\n# (\\S+\\.yaml)\n(.*?)```").FindAllStringSubmatch(mustRead(t, "../../docs/checks.md"), -1)
	if len(files) != 2 {
		t.Fatalf("docs/checks.md has %d files, want check.yaml and cases.yaml", len(files))
	}
	for _, file := range files {
		mustPut(t, filepath.Join(folder, file[1]), file[2])
	}
	return filepath.Join(folder, "mychecks")
}

func TestExampleOfTheChecksDocumentWorks(t *testing.T) {
	t.Parallel()
	pack := mustPack(t)
	if got := mustAdvise(t, nil, "advisor", "lint", pack); got != "" {
		t.Errorf("advisor lint printed %q, want nothing", got)
	}
	if got := mustAdvise(t, nil, "advisor", "test", pack); !strings.HasPrefix(got, "ok ") {
		t.Errorf("advisor test printed %q, want ok", got)
	}
	got := advise(t, nil, "advisor", "run", "--checks", pack, "--check", "unattached-volumes", "--file", mustInventory(t, "ok"))
	if got.err != nil || !strings.Contains(got.stdout, "Unattached volumes") {
		t.Errorf("advisor run = %v, printed %q, want the check", got.err, got.stdout)
	}
}

func TestChecksDocumentHasEveryFieldAndFunction(t *testing.T) {
	t.Parallel()
	document := mustRead(t, "../../docs/checks.md")
	wanted := func(file, pattern string) {
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(mustRead(t, file), -1)
		if len(found) == 0 {
			t.Errorf("%s has no match of %s", file, pattern)
		}
		for _, name := range found {
			if !regexp.MustCompile("`" + name[1] + "[`(]").MatchString(document) {
				t.Errorf("docs/checks.md says nothing of `%s` of %s", name[1], file)
			}
		}
	}
	wanted("../../internal/check/load.go", `yaml:"(\w+)"`)
	wanted("../../internal/check/example.go", `yaml:"(\w+)"`)
	wanted("../../internal/check/function.go", `cel\.(?:Function|Constant)\("(\w+)"`)
	wanted("../../internal/check/compile.go", `(?:Variable|variable)\("(\w+)"`)
	wanted("../../internal/report/document.go", `json:"(\w+)`)
}

func TestCommandsInDocumentsExist(t *testing.T) {
	t.Parallel()
	lines := 0
	for _, file := range []string{"../../README.md", "../../docs/checks.md"} {
		text := strings.ReplaceAll(mustRead(t, file), "\\\n", " ")
		for _, line := range regexp.MustCompile(`(?m)^supportd (?:advisor|inventory|serve) .*$`).FindAllString(text, -1) {
			lines++
			line, _, _ = strings.Cut(line, " #")
			root := (&program{}).rootCommand()
			c, args, err := root.Find(strings.Fields(line)[1:])
			if err == nil {
				err = c.ParseFlags(args)
			}
			if err != nil || c == root || c.HasSubCommands() {
				t.Errorf("%s: %s: %v, want a command", file, line, err)
			}
		}
	}
	if lines < 3 {
		t.Errorf("%d commands found in the documents", lines)
	}
}
