package desk

// What follows says of what is to be written later whether it can be: a seed is
// written as a whole or not at all.

// CheckTags returns why a new case would not get all of the tags.
func CheckTags(tags []string) error {
	folded, err := checkTags(tags)
	if err == nil && len(inOrder(folded)) > maxTags {
		err = ErrInvalid.With("A case has at most %d tags.", maxTags)
	}
	return err
}

// CheckNote returns why a note would be refused.
func CheckNote(body string) error { return checkText("note", body, maxNote) }
