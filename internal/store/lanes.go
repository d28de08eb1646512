package store

import "sync"

// lanes are the updates that wait, by scope. A scope with a lane has a goroutine
// that runs its updates; the lane ends when none is left.
type lanes struct {
	mu      sync.Mutex
	waiting map[string][]*update
	running sync.WaitGroup
	closed  bool
}

// enter queues an update. Who finds no lane has opened one, and has to run it.
func (l *lanes) enter(scope string, u *update) (opened bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, errClosed
	}
	if l.waiting == nil {
		l.waiting = map[string][]*update{}
	}
	queue, exists := l.waiting[scope]
	l.waiting[scope] = append(queue, u)
	if !exists {
		l.running.Add(1)
	}
	return !exists, nil
}

// take returns the next batch of a lane; nil says that it has ended.
func (l *lanes) take(scope string) []*update {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.waiting[scope]
	if len(queue) == 0 {
		delete(l.waiting, scope)
		l.running.Done()
		return nil
	}
	n := min(len(queue), maxBatch)
	l.waiting[scope] = queue[n:]
	return queue[:n:n]
}

// close lets nobody in any more and waits for the lanes to end.
func (l *lanes) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.running.Wait()
}
