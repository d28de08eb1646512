package desk

// settingsCache keeps settings, promises and calendars, which every change of a
// case needs.
type settingsCache struct{}
