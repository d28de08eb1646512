package server

import (
	"fmt"
	"io/fs"
	"sync"

	"github.com/supportd/supportd/checks"
	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/price"
	"github.com/supportd/supportd/internal/seal"
)

func (s *Server) newAdvisor(box *seal.Box) *advisor.Service {
	return &advisor.Service{
		Store: s.store.Advisor(), IAM: s.IAM, Box: box, Now: s.config.Now, Log: s.log,
		Pack:      onceLoaded(s.config.loadChecks),
		Collector: &collect.Collector{Log: s.log},
		Prices:    price.Table,
		Test:      s.config.Test != nil,
	}
}

// onceLoaded keeps what load returns once it succeeds. An error may pass, such
// as that of a folder that is being replaced: the next call tries again.
func onceLoaded[T any](load func() (T, error)) func() (T, error) {
	var mu sync.Mutex
	var loaded bool
	var kept T
	return func() (T, error) {
		mu.Lock()
		defer mu.Unlock()
		if loaded {
			return kept, nil
		}
		v, err := load()
		if err == nil {
			kept, loaded = v, true
		}
		return v, err
	}
}

// loadChecks loads the program's checks and the operator's. It takes a tenth of
// a second.
func (c *Config) loadChecks() (*check.Pack, error) {
	folders := []fs.FS{checks.FS}
	if c.Checks != "" {
		own, err := check.Folder(c.Checks)
		if err != nil {
			return nil, err
		}
		folders = append(folders, own)
	}
	return check.Load(collect.Kinds(), folders...)
}

// tryChecks compiles the operator's checks, so that a bad one stops the start
// and not a refresh. The program's own are compiled by its tests.
func (c *Config) tryChecks() error {
	if c.Checks == "" {
		return nil
	}
	compile := func() error {
		own, err := check.Folder(c.Checks)
		if err != nil {
			return err
		}
		pack, err := check.Load(collect.Kinds(), own)
		if err != nil {
			return err
		}
		return pack.Compile()
	}
	if err := compile(); err != nil {
		return fmt.Errorf("checks in %s: %w", c.Checks, err)
	}
	return nil
}
