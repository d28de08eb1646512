package report

import "github.com/jedib0t/go-pretty/v6/text"

// shortest is how short a cell gets: less would tell nothing.
const shortest = 12

// fit takes the middle out of the longest cells until the columns, with what is
// between two of them, are not wider than a line.
func fit(rows [][]string, between, width int) {
	widest := map[int]int{}
	for _, cells := range rows {
		for i, c := range cells {
			widest[i] = max(widest[i], text.StringWidthWithoutEscSequences(c))
		}
	}
	limit := shortest
	for total(widest, between, limit+1) <= width && limit < width {
		limit++
	}
	for _, cells := range rows {
		for i, c := range cells {
			cells[i] = shortened(c, limit)
		}
	}
}

// total is the width of a line whose columns are not wider than a limit.
func total(widest map[int]int, between, limit int) (width int) {
	for _, w := range widest {
		width += between + min(w, limit)
	}
	return width
}

// shortened returns a text with … instead of its middle: ARNs differ at the end
// and tell the service at the beginning.
func shortened(s string, width int) string {
	if text.StringWidthWithoutEscSequences(s) <= width {
		return s
	}
	runes := []rune(s)
	left, right := 0, len(runes)
	for used := 1; ; {
		next := runes[left]
		fromEnd := left > len(runes)-right
		if fromEnd {
			next = runes[right-1]
		}
		if used += text.RuneWidth(next); used > width {
			return string(runes[:left]) + "…" + string(runes[right:])
		}
		if fromEnd {
			right--
		} else {
			left++
		}
	}
}
