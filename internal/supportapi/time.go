package supportapi

import "time"

// timeLayouts are the forms in which the API takes times; without an offset
// they are UTC. Fractions of a second are read by every layout with seconds.
func timeLayouts() []string {
	return []string{
		"2006-01-02",
		"2006-01-02T15:04",
		"2006-01-02T15:04Z07:00",
		"2006-01-02T15:04Z0700",
		"2006-01-02T15:04:05",
		"2006-01-02T15:04:05Z07:00",
		"2006-01-02T15:04:05Z0700",
	}
}

// parseTime reads a member such as afterTime; an absent or empty one is the
// zero time.
func parseTime(member string, text *string) (time.Time, error) {
	if value(text) == "" {
		return time.Time{}, nil
	}
	for _, layout := range timeLayouts() {
		t, err := time.Parse(layout, *text)
		if err != nil {
			continue
		}
		if t.IsZero() { // the year 1, which would mean that no time was given
			t = t.Add(time.Microsecond)
		}
		return t.UTC(), nil
	}
	return time.Time{}, errInvalidTime.With("%s %q is not a time in ISO 8601 form, such as 2026-01-31T12:00:00Z.", member, *text)
}

// caseTime formats the creation time of a case as recorded: milliseconds, Z.
func caseTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// communicationTime formats the time of a communication as recorded: whole
// seconds, in the form of milliseconds.
func communicationTime(t time.Time) string {
	return caseTime(t.Truncate(time.Second))
}

// offsetTime formats other times as recorded for the end of an attachment set:
// with an offset, not Z.
func offsetTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000-0700")
}

// checkTime formats the time of a check's result as recorded: whole seconds, Z.
func checkTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
