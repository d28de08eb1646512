package blob

import "os"

// WatchSync calls watch, with the file's name inside the store, before each
// sync. An error of watch takes the place of the sync.
func (d *Dir) WatchSync(watch func(name string) error) {
	d.sync = func(f *os.File) error {
		if err := watch(f.Name()); err != nil {
			return err
		}
		return f.Sync()
	}
}
