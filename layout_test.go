package supportd_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/supportd/supportd"

// ranks returns the rank of every room. A package imports lower ranks only.
func ranks() map[string]int {
	return map[string]int{
		"internal/accesslog":          0,
		"internal/awsjson":            0,
		"internal/blob":               0,
		"internal/blob/blobtest":      1, // the suite of the room below it
		"internal/blob/s3blob":        1,
		"internal/blob/s3blob/s3test": 2, // a server for the tests of it and of rooms above
		"internal/calendar":           0,
		"internal/clock":              0,
		"internal/clock/clocktest":    0,
		"internal/fault":              0,
		"internal/inventory":          0,
		"internal/jobs":               0,
		"internal/price":              0,
		"internal/random":             0,
		"internal/seal":               0,
		"internal/sigv4":              0,

		"checks": 0,

		"internal/catalog": 1,
		"internal/check":   1,
		"internal/iam":     1,

		"internal/cases": 2,

		"internal/advisor": 3,
		"internal/desk":    3,

		"internal/collect":         4,
		"internal/store":           4,
		"internal/store/pgtest":    5, // servers for the tests of the room below it
		"internal/store/storetest": 5, // the suite of the room below it

		"internal/deskapi":    5,
		"internal/report":     5,
		"internal/supportapi": 5,
		"internal/testmode":   5,

		"internal/server": 6,

		"cmd/supportd": 7,
		"supporttest":  7,
		"conformance":  8,
		"examples/go":  8, // a program that uses the service, like others outside
	}
}

func TestRoomsImportLowerRanksOnly(t *testing.T) {
	ranks := ranks()
	for room, imports := range packages(t) {
		rank, ok := ranks[room]
		if !ok {
			t.Errorf("package %s has no rank: give it a line in ranks", room)
			continue
		}
		for _, imported := range imports {
			if ranks[imported] >= rank {
				t.Errorf("%s (rank %d) imports %s (rank %d), want a lower rank", room, rank, imported, ranks[imported])
			}
		}
	}
	for room := range ranks {
		if _, ok := packages(t)[room]; !ok {
			t.Errorf("rank of %s: there is no such package", room)
		}
	}
}

// packages returns the module's packages with those of the module that they
// import, both without the module's path. Tests may import what they like.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		fields := strings.Fields(line)
		room, ok := strings.CutPrefix(fields[0], module+"/")
		if !ok {
			continue
		}
		found[room] = []string{}
		for _, imported := range fields[1:] {
			if name, ok := strings.CutPrefix(imported, module+"/"); ok {
				found[room] = append(found[room], name)
			}
		}
	}
	return found
}

func TestTestLibrariesStayOutOfTheProgram(t *testing.T) {
	unwanted := []string{"testing", "github.com/google/go-cmp", "pgregory.net/rapid", "github.com/rogpeppe/go-internal", "go.uber.org/goleak", "github.com/aws/aws-sdk-go-v2/service/support"}
	for _, dependency := range goList(t, "-deps", "./cmd/supportd") {
		for _, prefix := range unwanted {
			if dependency == prefix || strings.HasPrefix(dependency, prefix+"/") {
				t.Errorf("cmd/supportd depends on %s", dependency)
			}
		}
	}
}

func TestSQLStaysInTheStore(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		fields := strings.Fields(line)
		if strings.HasPrefix(fields[0], module+"/internal/store") {
			continue
		}
		for _, imported := range fields[1:] {
			if imported == "database/sql" || strings.HasPrefix(imported, "github.com/jackc/pgx/") {
				t.Errorf("%s imports %s, want SQL in internal/store only", fields[0], imported)
			}
		}
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
