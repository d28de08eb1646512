package testmode

import (
	"encoding/base64"

	"github.com/supportd/supportd/internal/cases"
)

// file is an attachment in a seed or a script.
type file struct {
	Name   string  `yaml:"name"`
	Text   *string `yaml:"text"`
	Base64 *string `yaml:"base64"`
}

// readFiles returns the attachments that stand at p.
func readFiles(p place, files []file) []cases.File {
	var all []cases.File
	for i, f := range files {
		all = append(all, f.read(p.item(i)))
	}
	if len(all) > 0 {
		p.check(cases.CheckFiles(all))
	}
	return all
}

func (f file) read(p place) cases.File {
	switch {
	case f.Text == nil && f.Base64 == nil:
		p.wrong("an attachment has a text, or base64")
	case f.Text != nil && f.Base64 != nil:
		p.in("base64").wrong("an attachment has a text or base64, not both")
	case f.Text != nil:
		return cases.File{Name: f.Name, Data: []byte(*f.Text)}
	default:
		data, err := base64.StdEncoding.DecodeString(*f.Base64)
		if err != nil {
			p.in("base64").wrong("this is not base64: %s", err)
		}
		return cases.File{Name: f.Name, Data: data}
	}
	return cases.File{Name: f.Name}
}
