package catalog

import "time"

// Language is a language of support: its ISO 639-1 code, and its name in the
// two forms that DescribeSupportedLanguages gives.
type Language struct{ Code, Name, Display string }

type language struct {
	Language
	offered bool

	// Billing and account questions are answered in office hours of one
	// country, at a fixed distance from UTC. No country: all day, every day.
	country string
	offset  time.Duration
}

// The four that are offered are those of the API version 2013-04-15. The other
// four came in 2026; asking for their options is answered, but no case is
// handled in them. Upper case follows the reference's example of ENGLISH.
func languages() []language {
	return []language{
		{Language: Language{"en", "ENGLISH", "ENGLISH"}, offered: true},
		{Language: Language{"ja", "JAPANESE", "JAPANESE"}, offered: true, country: "JP", offset: 9 * time.Hour},
		{Language: Language{"zh", "CHINESE", "CHINESE"}, offered: true, country: "CN", offset: 8 * time.Hour},
		{Language: Language{"ko", "KOREAN", "KOREAN"}, offered: true, country: "KR", offset: 9 * time.Hour},
		{Language: Language{"es", "SPANISH", "SPANISH"}},
		{Language: Language{"pt", "PORTUGUESE", "PORTUGUESE"}},
		{Language: Language{"fr", "FRENCH", "FRENCH"}},
		{Language: Language{"tr", "TURKISH", "TURKISH"}},
	}
}
