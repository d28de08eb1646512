//go:build unix && !linux

package pgtest

// memoryDir returns a directory that is kept in memory, empty if there is none.
func memoryDir() string { return "" }
