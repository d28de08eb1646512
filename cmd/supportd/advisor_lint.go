package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
)

// problem is what lint finds.
type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level"` // error or warning
	Message string `json:"message"`
}

func (p problem) String() string {
	text := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Level == "warning" {
		text += "warning: "
	}
	return text + p.Message
}

// packFolder is a folder of checks and what its files' names begin with.
type packFolder struct {
	name string
	fs.FS
}

// packFolders returns the folders of arguments, the built-in pack without any.
func (p *program) packFolders(args []string) (all []packFolder, err error) {
	if len(args) == 0 {
		return []packFolder{{"checks", p.checks}}, nil
	}
	for _, name := range args {
		folder, err := check.Folder(name)
		if err != nil {
			return nil, err
		}
		all = append(all, packFolder{name, folder})
	}
	return all, nil
}

func (p *program) advisorLint() *cobra.Command {
	c := &cobra.Command{Use: "lint [DIR...]", Short: "Say what is wrong with packs of checks", Args: cobra.ArbitraryArgs}
	c.Long = `Load and compile the checks of folders, without any those of the built-in pack,
and print what is wrong as FILE:LINE:COLUMN: TEXT. Warnings are about what works
and should not stay so. The exit code is 1 when there is an error.`
	p.bindJSON(c)
	c.RunE = func(_ *cobra.Command, args []string) error {
		folders, err := p.packFolders(args)
		if err != nil {
			return err
		}
		found := []problem{}
		for _, folder := range folders {
			found = append(found, lint(folder)...)
		}
		d := document{value: found}
		wrong := 0
		for _, one := range found {
			d.rows = append(d.rows, []string{one.String()})
			if one.Level == "error" {
				wrong++
			}
		}
		if err := p.print(d); err != nil {
			return err
		}
		if wrong > 0 {
			return fmt.Errorf("%d errors in the checks", wrong)
		}
		return nil
	}
	return c
}

// lint returns what is wrong with a pack, in the order of files and lines.
func lint(folder packFolder) []problem {
	files, err := fs.Glob(folder, "*/*/check.yaml")
	if err != nil {
		return []problem{{folder.name, 1, 1, "error", err.Error()}}
	}
	found := map[problem]bool{}
	add := func(all []problem) {
		for _, p := range all {
			found[p] = true
		}
	}
	loaded, err := loadAll(folder, files)
	add(problems(folder.name, err))
	for _, c := range loaded {
		unused, err := c.Unused()
		add(problems(folder.name, err))
		add(warnings(folder, c, unused))
		if _, err := c.Examples(); !errors.Is(err, fs.ErrNotExist) { // that is a warning
			add(problems(folder.name, err))
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Message, b.Message))
	})
}

// loadAll returns the checks of a folder, those beside a broken one too.
func loadAll(folder packFolder, files []string) ([]*check.Check, error) {
	pack, err := check.Load(collect.Kinds(), folder)
	if err == nil {
		return pack.Checks(), nil
	}
	var all []*check.Check
	for _, file := range files {
		if one, err := check.Load(collect.Kinds(), onlyFile{folder, file}); err == nil {
			all = append(all, one.Checks()...)
		}
	}
	return all, err
}

// onlyFile is a folder of which one check is looked at.
type onlyFile struct {
	fs.FS
	file string
}

// Glob returns the one file.
func (f onlyFile) Glob(string) ([]string, error) { return []string{f.file}, nil }

var positioned = regexp.MustCompile(`^(\S+\.yaml)(?::(\d+):(\d+))?: (.*)$`)

// problems takes errors apart, which are one a line.
func problems(folder string, err error) (all []problem) {
	if err == nil {
		return nil
	}
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSuffix(line, "\n")
		m := positioned.FindStringSubmatch(line)
		switch {
		case m != nil:
			row, _ := strconv.Atoi(m[2]) // 0 of an error without a position
			column, _ := strconv.Atoi(m[3])
			all = append(all, problem{filepath.Join(folder, m[1]), max(row, 1), max(column, 1), "error", m[4]})
		case len(all) > 0:
			all[len(all)-1].Message += " " + strings.TrimSpace(line)
		default:
			all = append(all, problem{folder, 1, 1, "error", line})
		}
	}
	return all
}

// warnings are about what works and should not stay so.
func warnings(folder packFolder, c *check.Check, unused []string) (all []problem) {
	file := path.Join(c.Path, "check.yaml")
	text, err := fs.ReadFile(folder, file)
	if err != nil || c.Unavailable != "" {
		return nil
	}
	warn := func(field, format string, args ...any) {
		line, column := position(text, field)
		all = append(all, problem{filepath.Join(folder.name, file), line, column, "warning", fmt.Sprintf(format, args...)})
	}
	if _, err := fs.Stat(folder, path.Join(c.Path, "cases.yaml")); err != nil {
		warn("", "there is no cases.yaml beside it: nothing shows that the check works")
	}
	if c.Action == "" {
		warn("", "action is missing: what to do about what is found")
	}
	if has(text, "error") && len(c.Criteria.Red) == 0 {
		warn("criteria", "criteria.red is missing: when a resource is red, in words")
	}
	if has(text, "warning") && len(c.Criteria.Yellow) == 0 {
		warn("criteria", "criteria.yellow is missing: when a resource is yellow, in words")
	}
	for _, name := range unused {
		warn(name, "%s is not used", name)
	}
	return all
}

// position returns line and column of a field such as let.age, those of the
// beginning where there is no such field.
func position(text []byte, field string) (line, column int) {
	if at := find(text, field); at != nil {
		return at.Line, at.Column
	}
	return 1, 1
}

func has(text []byte, field string) bool { return find(text, field) != nil }

func find(text []byte, field string) *token.Position {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil || field == "" {
		return nil
	}
	at, err := yaml.PathString("$." + field)
	if err != nil {
		return nil
	}
	node, err := at.FilterFile(parsed)
	if err != nil || node == nil {
		return nil
	}
	return node.GetToken().Position
}
