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

// CheckTeamName returns why a team would not be made with an id and a name.
func CheckTeamName(id, name string) (idErr, nameErr error) {
	return checkID("team", id), checkName("name of the team", name)
}

// CheckAgentName returns why an agent would not be made with a name.
func CheckAgentName(name string) error { return checkName("name of the agent", name) }

// CheckEmail returns why an agent would not be made with an e-mail address.
func CheckEmail(address string) error { return checkEmail(address) }

// CheckCapacity returns why an agent would not be made with a capacity.
func CheckCapacity(n int) error {
	if n < 0 || n > maxCapacity {
		return ErrInvalid.With("The capacity must be from 0 to %d.", maxCapacity)
	}
	return nil
}
