package server_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

func TestBadConfigurationIsOneClearLine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		config server.Config
		want   string
	}{
		{"no data folder", server.Config{}, "no data folder"},
		{"data folder is a file", server.Config{Data: file}, "not a directory"},
		{"listen without port", server.Config{Data: "x", Listen: "localhost"}, `listen "localhost": want HOST:PORT`},
		{"negative retention", server.Config{Data: "x", RetentionMonths: -1}, "retention-months is -1"},
		{"retention beyond time", server.Config{Data: "x", RetentionMonths: 5000000}, "retention-months is 5000000"},
		{"negative limit", server.Config{Data: "x", Limits: server.Limits{CasesPerHour: -2}}, "cases-per-hour is -2"},
		{"negative rate", server.Config{Data: "x", Limits: server.Limits{RequestsPerSecond: -2}}, "requests-per-second is -2"},
		{"other database", server.Config{Data: t.TempDir(), Database: "mysql://x"}, "database: want sqlite://FILE or postgres://"},
		{"mistyped database", server.Config{Data: t.TempDir(), Database: "postgre://x:<secret text>@y/z"}, "database: want sqlite://FILE"},
		{"database as key and value", server.Config{Data: t.TempDir(), Database: "host=y password=<secret text>"}, "database: want sqlite://FILE"},
		{"unreachable database", server.Config{Data: t.TempDir(), Blobs: "file://" + t.TempDir(), Database: "postgres://x:secret%20text@127.0.0.1:1/z"}, "connect"},
		{"garbled database", server.Config{Data: t.TempDir(), Blobs: "file://" + t.TempDir(), Database: "postgres://x:<secret text>@y:zz/%"}, "database"},
		{"shared database without blobs", server.Config{Data: t.TempDir(), Database: "postgres://x@y/z"}, "a shared database needs --blobs"},
		{"keys without a bucket", server.Config{Data: t.TempDir(), BlobsKeyID: "x", BlobsSecret: "<secret text>"}, "credentials for a bucket are set, but --blobs is no s3://"},
		{"database is a folder", server.Config{Data: t.TempDir(), Database: "sqlite://" + t.TempDir()}, "is a directory"},
		{"database is something else", server.Config{Data: t.TempDir(), Database: "sqlite://" + garbageFile(t)}, "not a database"},
		{"other blobs", server.Config{Data: t.TempDir(), Blobs: "ftp://x/y"}, "blobs: want file:///DIR or s3://BUCKET"},
		{"blobs without a bucket", server.Config{Data: t.TempDir(), Blobs: "s3://?endpoint=http://127.0.0.1:1"}, "S3 bucket"},
		{"relative blobs", server.Config{Data: t.TempDir(), Blobs: "file://dir/x"}, "want file:///DIR"},
		{"blobs are a file", server.Config{Data: t.TempDir(), Blobs: "file://" + file}, "is not a folder"},
		{"short master key", server.Config{Data: t.TempDir(), MasterKey: "c2hvcnQ="}, "SUPPORTD_MASTER_KEY: a master key is 32 bytes in base64"},
		{"garbled master key", server.Config{Data: t.TempDir(), MasterKey: "<secret text>"}, "SUPPORTD_MASTER_KEY: a master key is 32 bytes in base64"},
		{"missing master key file", server.Config{Data: t.TempDir(), MasterKeyFile: file + ".none"}, "no such file"},
		{"empty master key file", server.Config{Data: t.TempDir(), MasterKeyFile: file}, "a master key is 32 bytes in base64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := server.Open(t.Context(), test.config)
			if err == nil {
				t.Fatalf("Open(%+v) = nil, want an error (and Close() = %v)", test.config, s.Close())
			}
			if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "\n") || strings.Contains(text, "secret text") {
				t.Errorf("Open(%+v) = %q, want one line with %q", test.config, text, test.want)
			}
		})
	}
}

func garbageFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(name, []byte(strings.Repeat("no database at all ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDatabaseAndAttachmentsMayBeElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := filepath.Join(t.TempDir(), "with a % and blanks")
	if err := os.Mkdir(elsewhere, 0o700); err != nil {
		t.Fatal(err)
	}
	s := mustServe(t, server.Config{
		Database: "sqlite://" + filepath.Join(elsewhere, "cases.db"),
		Blobs:    "file://" + strings.ReplaceAll(filepath.ToSlash(elsewhere), "%", "%25") + "/files",
	})
	set := s.mustAttach(t, "a.txt", []byte("hello"))
	s.mustCreateCase(t, "elsewhere", `"attachmentSetId":"`+set+`"`)
	c := s.mustCases(t)["elsewhere"].RecentCommunications.Communications[0]
	if got := s.mustRead(t, c.AttachmentSet[0].AttachmentID); string(got) != "hello" {
		t.Errorf("attachment = %q, want hello", got)
	}
	for _, name := range []string{"cases.db", "files"} {
		if _, err := os.Stat(filepath.Join(elsewhere, name)); err != nil {
			t.Errorf("%s is not where the configuration says: %v", name, err)
		}
	}
	for _, name := range []string{"supportd.db", "attachments"} {
		if _, err := os.Stat(filepath.Join(s.data, name)); err == nil {
			t.Errorf("%s is in the data folder too", name)
		}
	}
}

func TestMasterKeyOfTheFirstRunIsPrivate(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	for name, want := range map[string]os.FileMode{".": 0o700 | os.ModeDir, server.MasterKeyFile: 0o600, "supportd.db": 0o600, "supportd.db-wal": 0o600} {
		info, err := os.Stat(filepath.Join(s.data, name))
		if err != nil || info.Mode() != want {
			t.Errorf("mode of %s = %v, %v, want %v", name, info, err, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(s.data, server.MasterKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err != nil || len(key) != 32 {
		t.Errorf("master key file holds %d bytes, %v, want 32 in base64", len(key), err)
	}
	entries, err := filepath.Glob(filepath.Join(s.data, server.MasterKeyFile+".*"))
	if err != nil || len(entries) > 0 {
		t.Errorf("beside the master key: %v, %v, want nothing", entries, err)
	}
}

func TestOnlyTheRightMasterKeyOpensADatabase(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := mustServe(t, server.Config{Data: data})
	s.mustCreateCase(t, "sealed")
	key := s.key
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	inData := filepath.Join(data, server.MasterKeyFile)
	text, err := os.ReadFile(inData)
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := strings.TrimSpace(string(text)), base64.StdEncoding.EncodeToString(make([]byte, 32))
	elsewhere := filepath.Join(t.TempDir(), "key")
	if err := os.Rename(inData, elsewhere); err != nil {
		t.Fatal(err)
	}
	wrongFile := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrongFile, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		config server.Config
		want   string // of the error; empty for success
	}{
		{"missing", server.Config{}, "the master key of this database is missing: give it with --master-key, SUPPORTD_MASTER_KEY or the file " + inData},
		{"wrong in environment", server.Config{MasterKey: wrong}, "the master key is not the one that this database was made with"},
		{"wrong in file", server.Config{MasterKeyFile: wrongFile}, "the master key is not the one that this database was made with"},
		{"right in environment", server.Config{MasterKey: right}, ""},
		{"right in file", server.Config{MasterKeyFile: elsewhere}, ""},
	} {
		test.config.Data = data
		s, err := server.Open(t.Context(), test.config)
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%s: Open() = %v, want %q", test.name, err, test.want)
		}
		if _, made := os.Stat(inData); made == nil {
			t.Fatalf("%s: Open made a new master key", test.name)
		}
		if err != nil {
			continue
		}
		if c, err := s.IAM.Credential(t.Context(), key.AccessKeyID, ""); err != nil || c.Secret != key.SecretAccessKey {
			t.Errorf("%s: the access key does not open: %v", test.name, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
}

func TestManyFirstCommandsAtOnceAgreeOnOneMasterKey(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	outcome := make(chan error)
	const commands = 6
	for range commands {
		go func() {
			s, err := server.Open(t.Context(), server.Config{Data: data})
			if err == nil {
				err = s.Close()
			}
			outcome <- err
		}()
	}
	for range commands {
		if err := <-outcome; err != nil {
			t.Errorf("Open(new folder) beside others = %v, want nil", err)
		}
	}
}

func TestAttachmentsServeOneDatabaseOnly(t *testing.T) {
	t.Parallel()
	first := mustOpen(t, server.Config{})
	other := server.Config{Data: first.data, Database: "sqlite://" + filepath.Join(t.TempDir(), "other.db")}
	for _, c := range []server.Config{other, {Data: t.TempDir(), Blobs: "file://" + filepath.Join(first.data, "attachments")}} {
		_, err := server.Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), "belong to another database") {
			t.Errorf("Open(attachments of another database) = %v, want a refusal: its sweep would delete them", err)
		}
	}
	mustOpen(t, server.Config{Data: first.data})
}

func TestOneServerOnADataFolder(t *testing.T) {
	t.Parallel()
	first := mustServe(t, server.Config{})
	second := mustOpen(t, server.Config{Data: first.data}) // as an administration command does
	if _, err := second.IAM.Accounts(t.Context()); err != nil {
		t.Errorf("Accounts() beside a server = %v, want nil", err)
	}
	_, err := second.Listen()
	if err == nil || err.Error() != "another server runs on "+first.data {
		t.Fatalf("Listen() of a second server = %v, want a refusal", err)
	}
	first.mustCreateCase(t, "undisturbed")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	listener, err := second.Listen()
	if err != nil {
		t.Fatalf("Listen() after the first server ended = %v, want nil", err)
	}
	listener.Close()
}
