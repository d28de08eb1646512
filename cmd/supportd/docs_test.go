package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestConfigurationDocumentHasEverySetting(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var s settings
	flags := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	s.bind(flags)
	s.bindServe(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		for _, want := range []string{"`--" + f.Name, "`" + environmentName(f.Name) + "`"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("docs/configuration.md has no %s", want)
			}
		}
	})
}
