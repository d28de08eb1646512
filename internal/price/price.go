// Package price knows public on-demand prices of AWS, from a small table of
// its own. A price that it does not have is unknown; nothing is guessed.
package price
