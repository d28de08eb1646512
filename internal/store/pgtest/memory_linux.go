package pgtest

import (
	"os"
	"syscall"
)

// memoryDir returns a directory that is kept in memory, empty if there is none
// with room for large tests, as in a container with the usual 64 MiB, or if
// TMPDIR says where to go. Making a database takes a tenth of the time in it,
// and the disk is left to those who test it.
func memoryDir() string {
	const dir, room = "/dev/shm", 3 << 30
	var found syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(dir, &found) != nil {
		return ""
	}
	if found.Bavail*uint64(found.Bsize) < room {
		return ""
	}
	return dir
}
