package desk

// Terms returns the words of a text as they are searched for: lower case,
// without accents; of scripts that put no spaces between words, pairs of
// characters. Each comes once.
func Terms(text string) []string { panic("not built") }
