// Package checks holds the Trusted Advisor checks that come with the program,
// each a folder <category>/<slug> with check.yaml and cases.yaml. How to write
// one is in docs/checks.md.
package checks

import "embed"

// FS has the folders of all checks.
//
//go:embed */*/*.yaml
var FS embed.FS
