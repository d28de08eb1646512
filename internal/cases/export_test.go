package cases

import "time"

// Horizon shows the horizon to tests.
func (s *Service) Horizon(now time.Time) time.Time { return s.horizon(now) }
