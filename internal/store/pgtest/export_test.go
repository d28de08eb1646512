//go:build unix

package pgtest

// Binaries is binaries.
var Binaries = binaries

// StartError returns why a cluster does not start.
func StartError(o Options) error {
	c, err := newCluster(o)
	if err == nil {
		return c.home.close()
	}
	return err
}

// Dir returns the directory of the cluster.
func (c *Cluster) Dir() string { return c.home.dir }
