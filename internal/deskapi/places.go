package deskapi

import (
	"context"
	"sync"
)

// How many bodies with files are in memory at a time, and how many of them are of
// one agent: slow ones would keep all others away.
const (
	largeBodies      = 8
	largeBodiesOfOne = 2
)

// places are where large bodies may be in memory.
type places struct {
	all chan struct{}

	mu  sync.Mutex
	own map[string]*ownPlaces // by agent, while there are any
}

type ownPlaces struct {
	taken chan struct{}
	users int // who have one or wait for one
}

func newPlaces() *places {
	return &places{all: make(chan struct{}, largeBodies), own: map[string]*ownPlaces{}}
}

// take waits for a place of the agent's, and then for one of all.
func (p *places) take(ctx context.Context, agent string) (release func(), err error) {
	own := p.enter(agent)
	select {
	case own.taken <- struct{}{}:
	case <-ctx.Done():
		p.leave(agent, own)
		return nil, errThrottled.With("Too many files of the agent are on their way to the desk.")
	}
	back := func() {
		<-own.taken
		p.leave(agent, own)
	}
	select {
	case p.all <- struct{}{}:
	case <-ctx.Done():
		back()
		return nil, errThrottled.With("Too many files are on their way to the desk.")
	}
	return func() {
		<-p.all
		back()
	}, nil
}

func (p *places) enter(agent string) *ownPlaces {
	p.mu.Lock()
	defer p.mu.Unlock()
	own, ok := p.own[agent]
	if !ok {
		own = &ownPlaces{taken: make(chan struct{}, largeBodiesOfOne)}
		p.own[agent] = own
	}
	own.users++
	return own
}

func (p *places) leave(agent string, own *ownPlaces) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(p.own, agent)
	}
}
